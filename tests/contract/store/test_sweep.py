"""What the sweep asks of the inbox: which writes to look up again, with what to look for."""

from datetime import timedelta

import pytest

from store.inbox import Done, Doubt, Fresh, Inbox
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import COMPANY, EVENT, PAYMENT, claim, intent
from tests.fakes import NOON, FakeClock

LATER = NOON + timedelta(days=1)


async def doubted(inbox: Inbox, external_id: str, solid_id: str = "s") -> None:
    """A write that was in doubt and is applied in the end."""
    await claim(inbox, intent(external_id))
    await inbox.unknown(COMPANY, external_id, 1)
    await claim(inbox, intent(external_id))
    await inbox.applied(COMPANY, external_id, 2, solid_id=solid_id)


async def to_sweep(inbox: Inbox, *, limit: int = 9, seconds: float = 86_400, company: str = COMPANY) -> list[str]:
    rows = await inbox.to_sweep(company, before=NOON + timedelta(seconds=seconds), limit=limit)
    return [row.external_id for row in rows]


async def test_only_writes_that_were_in_doubt_and_are_applied_are_swept(inbox: Inbox) -> None:
    await claim(inbox, intent("never in doubt"))
    await inbox.applied(COMPANY, "never in doubt", 1, solid_id="s")
    await doubted(inbox, "doubted")
    await claim(inbox, intent("still unknown"))
    await inbox.unknown(COMPANY, "still unknown", 1)
    assert await to_sweep(inbox) == ["doubted"]
    assert await to_sweep(inbox, company="second") == []


async def test_the_oldest_are_swept_first_and_only_after_their_time(inbox: Inbox, clock: FakeClock) -> None:
    for name in ("c", "b", "a"):
        await doubted(inbox, name)
        clock.advance(10)
    assert await to_sweep(inbox) == ["c", "b", "a"]
    assert await to_sweep(inbox, limit=2) == ["c", "b"]
    assert await to_sweep(inbox, seconds=20) == ["c", "b"]  # `a` was updated at that very moment
    assert await to_sweep(inbox, seconds=0) == []


async def test_a_swept_write_is_not_swept_again(inbox: Inbox, clock: FakeClock) -> None:
    for name in ("a", "b"):
        await doubted(inbox, name)
    clock.advance(60)
    await inbox.swept(COMPANY, ["a"])
    clock.advance(60)
    await inbox.swept(COMPANY, ["a"])
    assert await to_sweep(inbox) == ["b"]
    [row] = await inbox.trace("a")
    assert (row.swept_at, row.updated_at) == (NOON + timedelta(seconds=60), NOON)


async def test_marking_what_is_not_to_be_swept_changes_nothing(inbox: Inbox) -> None:
    await claim(inbox)
    await inbox.unknown(COMPANY, PAYMENT, 1)
    before = await inbox.trace(PAYMENT)
    await inbox.swept(COMPANY, [PAYMENT])
    await inbox.swept(COMPANY, ["nobody"])
    assert await inbox.trace(PAYMENT) == before
    await claim(inbox)
    await inbox.applied(COMPANY, PAYMENT, 2, solid_id="s")
    assert await to_sweep(inbox) == [PAYMENT]


async def test_what_a_look_up_needs_is_remembered(inbox: Inbox) -> None:
    about = {"date": "2026-03-26", "display_name": "Ann é"}
    await claim(inbox, intent(about=about))
    [row] = await inbox.trace(PAYMENT)
    assert row.about == about


@pytest.mark.parametrize("ending", ["unknown", "release", "refused"])
@pytest.mark.parametrize(("first", "second"), [("2026-03-26", "2026-04-01"), ("2026-04-01", "2026-03-26")])
async def test_of_two_dates_both_are_kept_and_in_doubt_the_name_that_was_sent(
    inbox: Inbox, ending: str, first: str, second: str
) -> None:
    """A record sent under the first date may still turn up: the search must begin there."""
    await claim(inbox, intent(about={"date": first, "display_name": "old", "only": "then"}))
    match ending:
        case "unknown":
            await inbox.unknown(COMPANY, PAYMENT, 1)
        case "release":
            await inbox.release(COMPANY, PAYMENT, 1)
        case _:
            await inbox.refused(COMPANY, PAYMENT, 1, code="c", message="m")
    name = "old" if ending == "unknown" else "new"
    remembered = {"date": "2026-03-26", "until": "2026-04-01", "display_name": name, "only": "then"}
    answer = await claim(inbox, intent(about={"date": second, "display_name": "new"}))
    fresh = Fresh(2, refused_before=ending == "refused")
    assert answer == (Doubt(2, NOON, remembered) if ending == "unknown" else fresh)
    [row] = await inbox.trace(PAYMENT)
    assert row.about == remembered


async def test_an_intent_without_a_date_keeps_the_known_one(inbox: Inbox, clock: FakeClock) -> None:
    await claim(inbox, intent(about={"date": "2026-03-26"}))
    clock.advance((LEASE + timedelta(seconds=1)).total_seconds())
    assert await claim(inbox) == Doubt(2, clock.now(), {"date": "2026-03-26"})


async def test_a_finished_write_keeps_what_it_was_about(inbox: Inbox) -> None:
    await claim(inbox, intent(about={"date": "2026-03-26"}))
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    before = await inbox.trace(PAYMENT)
    assert await claim(inbox, intent(about={"date": "2026-01-01"})) == Done("s")
    assert await inbox.trace(PAYMENT) == before


@pytest.mark.parametrize("about", [{"nul\x00": "x"}, {"x": "half \ud800 pair"}])
def test_text_about_a_write_that_no_database_keeps_is_refused(about: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no database keeps"):
        intent(about=about)


def test_an_intent_can_stand_in_a_set() -> None:
    assert len({intent(about={"date": "2026-03-26"}), intent(about={"date": "2026-03-26"})}) == 1
    assert len({EVENT, EVENT}) == 1
