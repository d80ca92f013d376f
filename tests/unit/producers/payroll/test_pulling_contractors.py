"""Pulling contractors: their payments of a day are one run, where that is asked for."""

from pathlib import Path

from schemas.payroll import RunPaid
from tests.unit.producers.payroll.providers import contractor
from tests.unit.producers.payroll.pulls import open_bench, standing


async def test_contractors_are_one_run_a_day_of_what_is_funded_where_that_is_asked_for(tmp_path: Path) -> None:
    async with open_bench(tmp_path, options={"contractors": "pull"}) as bench:
        later = contractor("c-4", day="2026-04-20", status="Unfunded")
        elsewhere = contractor("c-5", day="2026-04-21", payment_method="Historical Payment")
        unfunded = contractor("c-3", status="Unfunded")
        bench.gusto.contractors = [contractor("c-1"), contractor("c-2"), unfunded, later, elsewhere]
        became = {each.run: each.became for each in await bench.pull()}
        assert became == {
            "contractors-2026-04-15": "told",
            "contractors-2026-04-20": "open",
            "contractors-2026-04-21": "ignored",
        }
        [run] = bench.broker.data
        assert isinstance(run, RunPaid)
        assert {line.kind: str(line.amount) for line in run.lines} == {
            "contractor": "1000.00 USD",
            "reimbursement": "40.00 USD",
            "net_pay": "1040.00 USD",
        }
        bench.gusto.contractors = [contractor("c-1"), contractor("c-2"), contractor("c-3")]
        assert {each.run: each.became for each in await bench.pull()} == {"contractors-2026-04-15": "told"}
        bench.gusto.contractors = []
        assert [each.became for each in await bench.pull()] == ["missing"]
        assert standing(bench.broker.data) == {"contractors-2026-04-15": [2]}


async def test_contractors_whose_payments_do_not_make_the_total_are_refused(tmp_path: Path) -> None:
    async with open_bench(tmp_path, options={"contractors": "pull"}) as bench:
        bench.gusto.contractors, bench.gusto.total = [contractor("c-1")], {"wages": "500.00", "reimbursements": "20.01"}
        [outcome] = await bench.pull()
        assert (outcome.became, outcome.reason) == ("refused", "totals_differ")
        bench.gusto.total = {"wages": "500.00", "reimbursements": "20.00"}
        assert [each.became for each in await bench.pull()] == ["told"]
