"""Files that take too long or too much memory: they end in `failed/` with that reason, and the feed goes on."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.feeds import bounded
from producers.feeds.folder import WatchedFolder
from producers.feeds.passing import Interrupted
from producers.feeds.reading_child import END, received, sent, sent_problem
from producers.feeds.spool import MOST_REASONS, Spool, Written
from producers.normalising import NormaliseContext, Piece, Refused, Rejected, Taken
from runtime.clock import SystemClock
from runtime.sections_feeds import FolderFeed
from tests.fakes import FakeClock
from tests.unit.producers.feeds.feeding import Watched, adjusted

MIB = 1 << 20
ROWS = {"kind": "adjusted", "columns": {"id": "document", "item": "sku", "quantity": "qty"}}
HEADER = "day,sku,qty,reason,document"


def rows(count: int, *, begin: int = 0) -> list[str]:
    return [f"2026-03-01,SKU-{number % 50},-1,damage,ADJ-{begin + number}" for number in range(count)]


def feed(watched: Watched, **settings: object) -> WatchedFolder:
    """A feed of CSV, or of another source, of which every file is read in a process of its own."""
    known = FolderFeed.model_validate(
        {"source": "warehouse-csv", "options": ROWS, "folder": watched.folder, "child_above_bytes": 0, **settings}
    )
    context = NormaliseContext(options=known.options)
    return WatchedFolder("north", known, watched.state, context, watched.broker, SystemClock(), watched.runs)


def reasons(watched: Watched, name: str) -> list[str]:
    report = json.loads((watched.state / "failed" / f"{name}.report.json").read_text())
    return [each["reason"] for each in report["refused"]]


def children() -> set[int]:
    """Processes that read files for this one; it may have others, such as the broker of other tests."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        for each in (task / "children").read_text().split():
            with contextlib.suppress(OSError):
                if b"reading_child" in Path(f"/proc/{each}/cmdline").read_bytes():
                    found.add(int(each))
    return found


async def test_a_child_tells_what_the_process_itself_would_have_read(watched: Watched) -> None:
    lines = [HEADER, *rows(600), "2026-03-01,SKU-1,many,damage,ADJ-x", "2026-03-01,SKU-\u00e9,0,damage,ADJ-y"]
    watched.put("a.csv", *lines)
    await feed(watched, child_above_bytes=MIB).look(watched.turn())
    within, watched.broker.batches = watched.broker.batches, []
    watched.put("b.csv", *lines)
    await feed(watched).look(watched.turn())
    assert sum(map(len, within)) == 600
    assert watched.broker.batches == within
    reports = [json.loads((watched.state / "failed" / f"{name}.csv.report.json").read_text()) for name in "ab"]
    assert reports[0]["refused"] == reports[1]["refused"] != []
    assert reports[0]["ignored"] == reports[1]["ignored"] == {"quantity_zero": 1}
    assert not children()


async def test_what_is_wrong_with_a_whole_file_comes_back_from_the_child_word_for_word(watched: Watched) -> None:
    watched.put("a.csv", "day,sku,quantity,reason,document", *rows(3))
    await feed(watched).look(watched.turn())
    assert reasons(watched, "a.csv") == ["missing_column"]
    assert "the header has no column qty" in (watched.state / "failed" / "a.csv.report.txt").read_text()


def test_the_child_has_no_secret_in_its_environment_and_no_descriptor_but_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_SOLID__API_KEY", "sk_canary")
    path, secret = tmp_path / "a.csv", tmp_path / "key"
    path.write_text("x")
    secret.write_text("sk_canary")
    with secret.open("rb") as kept, path.open("rb") as file:
        os.set_inheritable(kept.fileno(), True)  # noqa: FBT003  (os takes no keyword)
        with bounded._child(file) as child:
            proc = Path("/proc") / str(child.pid)
            assert b"canary" not in (proc / "environ").read_bytes()
            assert b"PATH=" not in (proc / "environ").read_bytes()
            open_files = {Path(each).resolve() for each in (proc / "fd").iterdir()}
    assert secret.resolve() not in open_files
    assert path.resolve() in open_files
    assert child.returncode is not None


async def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read(watched: Watched) -> None:
    nested = watched.put("a.json", "[" + "[],".join("" for _ in range(1_200_000)) + "[]]")
    watched.put("b.json", json.dumps([{"day": "2026-03-01", "sku": "A", "qty": 1, "reason": "found", "document": "1"}]))
    os.utime(nested, (1, 1))
    north = feed(watched, source="warehouse-json", max_memory_bytes=128 * MIB)
    found = await north.look(watched.turn())
    assert (found.files, found.refused) == (2, 1)
    assert reasons(watched, "a.json") == ["too_much_memory"]
    assert watched.broker.items == ["A"]


async def test_a_file_that_takes_too_long_is_refused_and_its_process_ended(watched: Watched) -> None:
    slow = watched.put("a.csv", HEADER, *rows(100_000))
    os.utime(slow, (1, 1))
    started = SystemClock().monotonic()
    await feed(watched, max_seconds=0.5).look(watched.turn())
    assert SystemClock().monotonic() - started < 10
    assert reasons(watched, "a.csv") == ["too_slow"]
    assert not watched.broker.batches
    assert not children()


def test_a_small_file_has_the_same_budget_and_is_read_here(watched: Watched) -> None:
    path = watched.put("a.csv", "one", "two", "three")
    known = FolderFeed(source="lines", folder=watched.folder, max_seconds=120)

    def taken(*, each_takes: float) -> Iterator[str]:
        clock = FakeClock()
        with path.open("rb") as file:
            for piece in bounded.read_within(known, file, NormaliseContext(), clock=clock, stopped=lambda: False):
                assert not children()
                assert isinstance(piece, Taken)
                yield piece.where
                clock.advance(each_takes)

    assert list(taken(each_takes=50)) == ["line 1", "line 2", "line 3"]
    with pytest.raises(Rejected) as rejected:
        list(taken(each_takes=70))
    assert rejected.value.reason == "too_slow"
    assert "120 seconds" in str(rejected.value)


async def test_a_larger_file_has_more_time(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "BYTES_A_BUDGET", 1000)
    watched.put("a.csv", HEADER, *rows(2_000))
    await feed(watched, max_seconds=0.2).look(watched.turn())
    assert watched.tree()["done"] == ["a.csv"]


async def test_a_process_that_is_killed_while_it_reads_refuses_its_file_alone(watched: Watched) -> None:
    watched.put("a.csv", HEADER, *rows(5_000))
    watched.put("b.csv", HEADER, *rows(3, begin=20_000), age=10)
    north = feed(watched)
    killed: list[int] = []

    def kill(name: str, *_: object) -> None:
        if name == "a.csv" and not killed:
            killed.extend(children())
            for each in killed:
                os.kill(each, signal.SIGKILL)

    north.progress = kill
    await north.look(watched.turn())
    assert len(killed) == 1
    assert reasons(watched, "a.csv") == ["reading_died"]
    assert watched.tree()["done"] == ["b.csv"]
    assert len(watched.broker.items) == 3


@pytest.mark.parametrize("how", ["told", "signalled"])
async def test_a_feed_that_is_told_to_stop_ends_the_process_and_gives_the_file_back(watched: Watched, how: str) -> None:
    watched.put("a.csv", HEADER, *rows(5_000))
    north = feed(watched)

    def stop(*_: object) -> None:
        if how == "told":
            watched.stop.set()

    north.progress = stop
    if how == "signalled":  # the whole group of a service is signalled, and the child with it
        task = asyncio.ensure_future(north.look(watched.turn()))
        while not (found := children()):
            await asyncio.to_thread(children)
        for each in found:
            os.kill(each, signal.SIGTERM)  # before it is up: there it ends by it, and later it does not
        with pytest.raises(Interrupted):
            await task
    else:
        with pytest.raises(Interrupted):
            await north.look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]
    assert not watched.broker.batches
    assert not children()


TEXTS = st.text(max_size=20)


@given(
    st.lists(
        st.one_of(
            st.builds(Refused, TEXTS, TEXTS, TEXTS, st.none() | TEXTS),
            st.builds(Taken, TEXTS, st.just(()), TEXTS),
            st.builds(lambda where, names: Taken(where, tuple(map(adjusted, names))), TEXTS, st.lists(st.just("a"))),
        )
    )
)
@settings(max_examples=30)
def test_pieces_pass_from_one_process_to_the_other_as_they_are(pieces: list[Piece]) -> None:
    there = b"".join(map(sent, pieces)) + END
    back = list(received(iter(there.splitlines())))
    with Spool() as one, Spool() as other:
        for piece in pieces:
            one.add(piece)
        for got in back:
            other.add(got)
        assert list(one.batches(10)) == list(other.batches(10))
        assert (one.refused, one.counts) == (other.refused, other.counts)


def test_lines_that_stop_before_the_end_are_no_file() -> None:
    there = sent(Taken("line 1", (adjusted("one"),)))
    for lines in (there.splitlines(), there.splitlines()[:2], []):
        with pytest.raises(EOFError):
            list(received(iter(lines)))


def test_problems_pass_too() -> None:
    with pytest.raises(Rejected) as rejected:
        list(received(iter([sent_problem(Rejected("cut_off", "it ends", field="trailer"))])))
    assert (rejected.value.reason, rejected.value.field, str(rejected.value)) == (
        "cut_off",
        "trailer",
        "trailer: it ends",
    )
    with pytest.raises(OSError, match="Input/output") as error:
        list(received(iter([sent_problem(OSError(5, "Input/output error"))])))
    assert error.value.errno == 5


def test_a_report_is_bounded_in_every_direction() -> None:
    with Spool() as spool:
        for number in range(MOST_REASONS + 50):
            spool.add(Taken("x", (), ignored=f"kind:{number}"))
            spool.add(Written((), ignored=f"kind:{number}"))
        spool.add(Refused("w" * 5000, "r" * 5000, "m" * 5_000_000, "f" * 5000))
    assert len(spool.counts.ignored) == MOST_REASONS + 1
    assert spool.counts.ignored["others"] == 100
    assert len(str(spool.refused)) < 5000
