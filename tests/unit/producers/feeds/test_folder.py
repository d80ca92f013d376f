"""A watched folder: what becomes of each file, and that none of them is ever lost."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from messaging.errors import PublishFailed, UnsafeTopology
from messaging.publisher import Encoded
from producers.feeds import folder as folder_module
from producers.feeds.feed import IN_FLIGHT
from producers.feeds.passing import FolderUnusable, Interrupted
from producers.normalising import NormaliseContext, Piece, Refused
from tests.unit.producers.feeds.feeding import Watched, read_lines
from tests.unit.producers.sourcing import put

NOBODY = 65534


def in_hand(watched: Watched) -> Path:
    """The file that is read just now."""
    [path] = (watched.state / "work").rglob("*.csv")
    return path


async def test_a_file_is_published_row_by_row_and_moved_to_done(watched: Watched) -> None:
    watched.put("a.csv", "one", "# nothing", "two")
    found = await watched.feed().look(watched.turn())
    assert watched.broker.items == ["one", "two"]
    assert watched.tree() == {"in": [], "done": ["a.csv"], "failed": [], "work": [".alive"]}
    assert (found.files, found.rows, found.events, found.rejects, found.refused) == (1, 3, 2, 0, 0)
    [run] = watched.runs.runs
    assert (run.name, run.state, run.rows, run.events, run.size) == ("a.csv", "done", 3, 2, 18)
    assert run.lag_seconds == pytest.approx(3600, abs=60)


async def test_the_oldest_file_is_first_and_a_batch_is_never_larger_than_may_be_under_way(watched: Watched) -> None:
    watched.put("b.csv", *(f"new{number}" for number in range(IN_FLIGHT + 1)), age=100)
    watched.put("c.csv", "old", age=200)
    await watched.feed().look(watched.turn())
    assert watched.broker.items[0] == "old"
    assert [len(batch) for batch in watched.broker.batches] == [1, IN_FLIGHT, 1]


async def test_good_rows_of_a_bad_file_are_published_and_the_bad_ones_reported(watched: Watched) -> None:
    watched.put("a.csv", "one", "bad", "two")
    found = await watched.feed().look(watched.turn())
    assert watched.broker.items == ["one", "two"]
    assert (found.refused, found.rejects) == (1, 1)
    assert watched.tree()["failed"] == ["a.csv", "a.csv.report.json", "a.csv.report.txt"]
    report = json.loads((watched.state / "failed" / "a.csv.report.json").read_text())
    assert report["published"] is True
    assert report["refused"] == [
        {"where": "line 2", "field": "qty", "reason": "not_a_number", "message": "qty is not a number"}
    ]
    text = (watched.state / "failed" / "a.csv.report.txt").read_text()
    assert "line 2, field qty: not_a_number: qty is not a number" in text
    assert "2 events were published from 2 good rows" in text


async def test_all_or_nothing_publishes_nothing_of_a_bad_file_and_all_of_a_good_one(watched: Watched) -> None:
    watched.put("bad.csv", "one", "bad")
    watched.put("good.csv", "two")
    await watched.feed(bad_rows="refuse_file").look(watched.turn())
    assert watched.broker.items == ["two"]
    report = json.loads((watched.state / "failed" / "bad.csv.report.json").read_text())
    assert (report["published"], report["events"]) == (False, 0)


@pytest.mark.parametrize(("last", "reason"), [("end", "cut_off"), ("bug", "normaliser_failed")])
async def test_a_file_that_is_refused_at_its_end_publishes_nothing_and_is_kept_whole(
    watched: Watched, last: str, reason: str
) -> None:
    watched.put("a.csv", *(f"row{number}" for number in range(2000)), last)
    await watched.feed().look(watched.turn())
    assert watched.broker.batches == []
    report = (watched.state / "failed" / "a.csv.report.json").read_text()
    assert [each["reason"] for each in json.loads(report)["refused"]] == [reason]
    assert "Rosen" not in report
    assert (watched.state / "failed" / "a.csv").read_text().endswith(f"row1999\n{last}\n")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1"])
async def test_a_packed_file_is_refused_for_what_it_is(watched: Watched, start: bytes) -> None:
    watched.put("a.csv").write_bytes(start + b"one\n")
    await watched.feed(quiet_seconds=0).look(watched.turn())
    report = json.loads((watched.state / "failed" / "a.csv.report.json").read_text())
    assert [each["reason"] for each in report["refused"]] == ["compressed"]


async def test_a_file_that_is_too_large_is_refused_unread(watched: Watched) -> None:
    watched.put("a.csv", "one", "two")
    await watched.feed(max_bytes=5).look(watched.turn())
    assert watched.broker.batches == []
    assert "too_large" in (watched.state / "failed" / "a.csv.report.txt").read_text()


async def test_documents_are_taken_from_files_as_well(watched: Watched) -> None:
    watched.put("a.json", '"one"', "bad")
    found = await watched.feed(source="line").look(watched.turn())
    assert (found.events, found.rejects) == (1, 1)
    assert "document 2" in (watched.state / "failed" / "a.json.report.txt").read_text()


@pytest.mark.parametrize("name", ["x.csv.part", "x.tmp", ".x.csv", "x.csv.filepart", "X.CSV.TMP"])
async def test_a_name_that_says_unfinished_is_left_alone(watched: Watched, name: str) -> None:
    watched.put(name, "one")
    found = await watched.feed(quiet_seconds=0).look(watched.turn())
    assert (found.files, watched.tree()["in"]) == (0, [name])


async def test_a_file_that_was_just_touched_waits_until_it_is_quiet(watched: Watched) -> None:
    path = watched.put("a.csv", "one", age=0)
    feed = watched.feed(quiet_seconds=30)
    assert (await feed.look(watched.turn())).unfinished == ["a.csv"]
    watched.clock.advance(29)
    with path.open("a") as more:
        more.write("two\n")
    assert (await feed.look(watched.turn())).unfinished == ["a.csv"]
    watched.clock.advance(29)
    assert (await feed.look(watched.turn())).unfinished == ["a.csv"]
    watched.clock.advance(1)
    await feed.look(watched.turn())
    assert watched.broker.items == ["one", "two"]


async def test_a_file_that_is_written_while_it_is_read_goes_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writing(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        yield from read_lines(file, context)
        with in_hand(watched).open("a") as more:
            more.write("two\n")

    put(monkeypatch, "lines", writing)
    watched.put("a.csv", "one")
    found = await watched.feed().look(watched.turn())
    assert found.unfinished == ["a.csv"]
    assert watched.broker.batches == []
    assert (watched.folder / "a.csv").read_text() == "one\ntwo\n"


async def test_while_the_broker_is_away_the_same_batch_is_sent_again(watched: Watched) -> None:
    watched.put("a.csv", "one")
    watched.broker.failures = [PublishFailed(), PublishFailed()]
    await watched.feed().look(watched.turn(patient=True))
    assert watched.broker.items == ["one"]
    assert [pause for pause in watched.clock.slept if pause < 15] == [0.5, 1.0], "15 s are between signs of life"


async def test_without_patience_the_file_goes_back(watched: Watched) -> None:
    watched.put("a.csv", "one")
    watched.broker.failures = [PublishFailed("no answer")]
    with pytest.raises(Interrupted, match="no answer"):
        await watched.feed().look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]


async def test_a_broker_that_refuses_the_feed_is_waited_for(watched: Watched) -> None:
    watched.put("a.csv", "one")
    watched.broker.failures = [UnsafeTopology("no permission"), UnsafeTopology("no permission")]
    await watched.feed().look(watched.turn(patient=True))
    assert watched.broker.items == ["one"]


async def test_a_feed_that_is_stopped_puts_its_file_back_and_reads_it_from_the_start_the_next_time(
    watched: Watched,
) -> None:
    watched.put("a.csv", *(f"row{number}" for number in range(3 * IN_FLIGHT)))
    publish = watched.broker.publish_all

    async def stopping(messages: Sequence[Encoded]) -> None:
        await publish(messages)
        watched.stop.set()

    watched.broker.publish_all = stopping  # type: ignore[method-assign]  # the test stands in its way
    with pytest.raises(Interrupted, match=f"{IN_FLIGHT} of {3 * IN_FLIGHT} events"):
        await watched.feed().look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]
    watched.stop.clear()
    watched.broker.publish_all = publish  # type: ignore[method-assign]  # the test stands in its way
    await watched.feed().look(watched.turn())
    assert len(watched.broker.items) == 4 * IN_FLIGHT
    assert len(set(watched.broker.items)) == 3 * IN_FLIGHT


async def test_a_cancelled_feed_puts_its_file_back(watched: Watched) -> None:
    watched.put("a.csv", "one")
    watched.broker.failures = [PublishFailed()] * 1000
    task = asyncio.create_task(watched.feed().look(watched.turn(patient=True)))
    while not watched.clock.slept:  # noqa: ASYNC110 - the fake clock has no event
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watched.tree()["in"] == ["a.csv"]


async def test_a_name_that_is_taken_keeps_both_files(watched: Watched) -> None:
    feed = watched.feed()
    for row in ("one", "bad", "two", "bad"):
        watched.put("a.tar.csv", row)
        await feed.look(watched.turn())
    tree = watched.tree()
    assert tree["done"] == ["a.2.tar.csv", "a.tar.csv"]
    assert [name for name in tree["failed"] if "report" not in name] == ["a.2.tar.csv", "a.tar.csv"]
    assert len(tree["failed"]) == 6


async def test_a_file_that_vanishes_while_it_is_read_is_no_error(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanishing(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        yield from read_lines(file, context)
        in_hand(watched).unlink()

    put(monkeypatch, "lines", vanishing)
    watched.put("a.csv", "one")
    with pytest.raises(FolderUnusable, match=r"a\.csv"):
        await watched.feed().look(watched.turn())
    assert watched.broker.batches == []
    put(monkeypatch, "lines", read_lines)
    watched.put("b.csv", "two")
    await watched.feed().look(watched.turn())
    assert watched.broker.items == ["two"]


async def test_a_read_error_puts_the_file_back(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        yield from read_lines(file, context)
        raise OSError(5, "Input/output error")

    put(monkeypatch, "lines", failing)
    watched.put("a.csv", "one")
    with pytest.raises(FolderUnusable, match="Input/output error"):
        await watched.feed().look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]
    assert watched.broker.batches == []


async def test_a_feed_that_is_closed_leaves_no_folder_behind(watched: Watched) -> None:
    feed = watched.feed()
    watched.put("a.csv", "one")
    await feed.look(watched.turn())
    await feed.close()
    assert list((watched.state / "work").iterdir()) == []


async def test_a_published_file_that_cannot_be_moved_is_only_moved_the_next_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    watched.put("a.csv", "one", "bad")
    feed = watched.feed()
    with monkeypatch.context() as disk:
        disk.setattr(folder_module, "fail", full)
        with pytest.raises(FolderUnusable, match="No space left"):
            await feed.look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]
    await feed.look(watched.turn())
    assert watched.broker.items == ["one"], "not published a second time"
    assert "a.csv.report.txt" in watched.tree()["failed"]
    watched.put("a.csv", "one", "bad")
    await feed.look(watched.turn())
    assert watched.broker.items == ["one", "one"], "another file of that name is another file"


async def test_a_file_that_cannot_be_read_holds_up_no_other(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        if in_hand(watched).name == "a.csv":
            raise PermissionError(13, "Permission denied", "a.csv")
        yield from read_lines(file, context)

    put(monkeypatch, "lines", failing)
    watched.put("a.csv", "one", age=200)
    watched.put("b.csv", "two", age=100)
    with pytest.raises(FolderUnusable, match=r"a\.csv: Permission denied"):
        await watched.feed().look(watched.turn())
    assert watched.broker.items == ["two"]
    assert watched.tree()["in"] == ["a.csv"]


async def test_a_warning_stops_nothing_of_a_file(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def warning(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        yield Refused("segment 2 (GS)", "warning:functional_id", "the group says AW, and holds an 944")
        yield from read_lines(file, context)

    put(monkeypatch, "lines", warning)
    watched.put("a.csv", "one", "two")
    await watched.feed(bad_rows="refuse_file").look(watched.turn())
    assert watched.broker.items == ["one", "two"]
    assert (watched.state / "done" / "a.csv").exists()


async def test_a_file_that_is_written_while_it_is_published_goes_back_and_loses_no_row(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = watched.broker.publish_all

    async def appended(messages: Sequence[Encoded]) -> None:
        await publish(messages)
        with in_hand(watched).open("a") as more:
            more.write("two\n")

    path = watched.put("a.csv", "one")
    with monkeypatch.context() as writer:
        writer.setattr(watched.broker, "publish_all", appended)
        found = await watched.feed().look(watched.turn())
    assert (found.unfinished, watched.tree()["done"]) == (["a.csv"], [])
    os.utime(path, (1, 1))
    await watched.feed().look(watched.turn())
    assert watched.broker.items == ["one", "one", "two"]
    assert watched.tree()["done"] == ["a.csv"]


async def test_what_an_earlier_version_left_in_the_watched_folder_is_given_back_and_read(watched: Watched) -> None:
    dead = watched.folder / "work" / "elsewhere-1-aa"
    dead.mkdir(parents=True)
    for name in ("theirs.json", "ours.csv", ".alive"):
        (dead / name).write_text(name)
        os.utime(dead / name, (1, 1))
    (watched.folder / "done").mkdir()
    (watched.folder / "done" / "old.csv").write_text("old")
    await watched.feed(files="*.csv").look(watched.turn())
    assert watched.broker.items == ["ours.csv"]
    assert (watched.tree()["in"], watched.tree()["done"]) == (["theirs.json"], ["ours.csv"])
    assert sorted(path.name for path in watched.folder.iterdir()) == ["done", "theirs.json"]
