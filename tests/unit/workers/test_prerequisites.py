"""What must be in the books first is judged by the inbox alone."""

import pytest

from schemas.money import Money
from tests.unit.workers.bench import COMPANY, Bench, entry, fact
from workers import prerequisites
from workers.plans.writes import Group, Plan, Prerequisite, RefundsReach
from workers.prerequisites import PrerequisiteMissing

NEEDS = (Prerequisite(external_id="fact:1"),)
REACH = (RefundsReach(group="refunds", total=Money.of("3.00", "USD")),)


async def test_what_is_not_known_is_missing_by_its_name(bench: Bench) -> None:
    with pytest.raises(PrerequisiteMissing, match="fact:1 is not in the books yet") as missing:
        await prerequisites.check(bench.inbox(), COMPANY, NEEDS)
    assert missing.value.reason == "prerequisite:fact:1"


async def test_what_is_sent_but_not_known_to_be_applied_is_missing(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(Exception, match="waiting"):
        await bench.applier().apply(fact(), Plan(writes=(entry("fact:1"),)))
    with pytest.raises(PrerequisiteMissing):
        await prerequisites.check(bench.inbox(), COMPANY, NEEDS)


async def test_what_is_applied_is_there_for_its_own_company_only(bench: Bench) -> None:
    await bench.applier().apply(fact(), Plan(writes=(entry("fact:1"),)))
    await prerequisites.check(bench.inbox(), COMPANY, NEEDS)
    with pytest.raises(PrerequisiteMissing):
        await prerequisites.check(bench.inbox(), "another", NEEDS)


async def test_refunds_must_add_up_to_the_total(bench: Bench) -> None:
    async def refund(name: str, amount: str) -> None:
        group = Group(key="refunds", amount=Money.of(amount, "USD"))
        await bench.applier().apply(fact(), Plan(writes=(entry(name, amount),), group=group))

    await refund("refund:1", "1.25")
    with pytest.raises(PrerequisiteMissing, match=r"3\.00 USD refunded in all, but only 1\.25 USD") as missing:
        await prerequisites.check(bench.inbox(), COMPANY, REACH)
    assert missing.value.reason == "prerequisite:refunds"
    await refund("refund:2", "1.75")
    await prerequisites.check(bench.inbox(), COMPANY, REACH)
    assert bench.solid.sent() == ["create refund:1", "create refund:2"], "no call is spent on the question"
