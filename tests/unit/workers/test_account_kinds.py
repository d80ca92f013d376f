"""An account of the wrong kind for its role is refused by check and by the books; an unknown kind is told."""

import pytest

from simulator.books.chart import sample
from solid.models import Account
from workers.books.account_kinds import allowed_kinds
from workers.books.books import ROLES, sample_books
from workers.chart import Chart
from workers.plans.writes import Parked

BOOKS = sample_books()


def accounts(**kinds: str) -> list[Account]:
    """One account a role, of a kind that fits, but for those that are said."""
    fitting = {name: min(allowed_kinds(role) or ()) for role, name in BOOKS.accounts.items()}
    wrong = {BOOKS.accounts[role]: kind for role, kind in kinds.items()}
    return [Account(id=f"id of {name}", name=name, type=kind) for name, kind in (fitting | wrong).items()]


def test_every_role_says_what_may_play_it() -> None:
    assert [role for role in sorted(ROLES) if not allowed_kinds(role)] == []


def test_the_sample_books_fit_a_usual_chart() -> None:
    chart = Chart([Account(id=each.id, name=each.name, type=each.type) for each in sample()], BOOKS)
    assert chart.problems(BOOKS) == []
    assert chart.notes(BOOKS) == []


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("income", "LIABILITY"),
        ("income", "liability"),
        ("receivable", "INCOME"),
        ("wages", "EQUITY"),
        ("payable", "CASH"),
    ],
)
def test_what_needs_it_is_parked_and_the_rest_is_booked(role: str, kind: str) -> None:
    chart = Chart(accounts(**{role: kind}), BOOKS)
    assert any(problem.endswith(f"Correct [accounts].{role}.") for problem in chart.problems(BOOKS))
    name = BOOKS.accounts[role]
    with pytest.raises(Parked) as parked:
        chart.id_of(name)
    assert parked.value.reason == f"wrong_kind:account:{name}"
    assert chart.id_of(BOOKS.accounts["bank"]) == f"id of {BOOKS.accounts['bank']}"


@pytest.mark.parametrize("kind", ["", "OTHER_INCOME"])
def test_a_kind_that_is_not_known_is_told_and_not_refused(kind: str) -> None:
    chart = Chart(accounts(income=kind), BOOKS)
    assert [problem for problem in chart.problems(BOOKS) if "must be one of" in problem] == []
    assert chart.id_of(BOOKS.accounts["income"])
    assert any(note.endswith("fits income is not known") for note in chart.notes(BOOKS))
