"""Which failure goes where: every row of the table, and every error that has none."""

import pytest

from messaging.bucket import NoToken
from schemas.errors import InvalidEvent, UnknownEventType
from solid.errors import DialectMismatch, OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, SolidError, Unavailable
from store.errors import LeaseLost, StoreError, StoreUnavailable
from workers.classify import Circumstances, classify
from workers.errors import Conflicting, HeldForPerson, NotYet, Undecided
from workers.outcomes import DeadLetter, Defer, GiveBack, Outcome, Retry
from workers.plans.writes import Parked
from workers.prerequisites import PrerequisiteMissing
from workers.retry import RetryPolicy

SETTLE = 45.0
POLICY = RetryPolicy((10, 60, 600), max_attempts=3, max_deferrals=2)


def at(attempt: int = 1, deferred: int = 0) -> Circumstances:
    return Circumstances(attempt=attempt, deferred=deferred, seed="evt_1", settle_seconds=SETTLE, policy=POLICY)


def refused(code: str = "invalid_account") -> Refused:
    return Refused(code, "no such account", status=422)


NEITHER_ATTEMPT_NOR_DEFERRAL: list[tuple[Exception, Outcome]] = [
    (NoToken(), GiveBack("no_token")),
    (StoreUnavailable("locked"), GiveBack("store_unavailable")),
    (DialectMismatch("odd"), GiveBack("dialect_mismatch")),
    (Unavailable("closed"), GiveBack("solid_closed")),
    (Unavailable("unauthorised"), GiveBack("solid_unauthorised")),
    (Unavailable("rate_limited", retry_after=9), GiveBack("solid_rate_limited")),
    (Unavailable("unavailable"), GiveBack("solid_unavailable")),
]

DEFERRED: list[tuple[Exception, Outcome]] = [
    (Unavailable("unavailable", sent=True), Defer(SETTLE, "solid_unavailable")),
    (Unavailable("rate_limited", sent=True), Defer(SETTLE, "solid_rate_limited")),
    (Unavailable("unauthorised", sent=True), Defer(SETTLE, "solid_unauthorised")),
    (RefusedInDoubt("CODE", "no", status=422), Defer(SETTLE, "refused_in_doubt")),
    (NotYet("busy", 7.5), Defer(7.5, "busy")),
    (NotYet("settling", 30), Defer(30, "settling")),
    (LeaseLost("main", "x", 3), Defer(SETTLE, "lease_lost")),
]

BEFORE_A_PERSON: list[tuple[Exception, Outcome]] = [
    (InvalidEvent("required", field="id"), DeadLetter("undecodable", "id: required")),
    (UnknownEventType("x.v9"), DeadLetter("undecodable", "type: the catalog has no event type 'x.v9'")),
    (Parked("unmapped:account:bank", "add it"), DeadLetter("unmapped:account:bank", "add it")),
    (refused(), DeadLetter("refused:invalid_account", "invalid_account: no such account (HTTP 422)")),
    (Conflicting("x is applied with other amounts"), DeadLetter("conflict", "x is applied with other amounts")),
    (HeldForPerson("cannot tell"), DeadLetter("held", "cannot tell")),
]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [*NEITHER_ATTEMPT_NOR_DEFERRAL, *DEFERRED, *BEFORE_A_PERSON],
    ids=lambda value: repr(value)[:60],
)
def test_the_outcome_is_the_same_however_often_it_was_tried(error: Exception, outcome: Outcome) -> None:
    assert classify(error, at()) == outcome
    assert classify(error, at(attempt=99, deferred=99)) == outcome


def test_an_unknown_outcome_uses_an_attempt_and_waits_at_least_the_settle_time() -> None:
    error = OutcomeUnknown("waiting", "POST /invoices: no answer")
    first = classify(error, at(attempt=1))
    assert first == Retry(SETTLE, "outcome_unknown"), "the step alone would be shorter"
    second = classify(error, at(attempt=2))
    assert isinstance(second, Retry)
    assert SETTLE <= second.after_seconds <= 60
    assert classify(error, at(attempt=3)) == DeadLetter("outcome_unknown", "POST /invoices: no answer")


def test_a_look_up_that_was_disturbed_uses_an_attempt_and_waits_the_settle_time() -> None:
    error = Undecided("x may be in Solid already")
    assert classify(error, at(attempt=1)) == Retry(SETTLE, "undecided")
    assert classify(error, at(attempt=3)) == DeadLetter("undecided", "x may be in Solid already")


def test_a_missing_prerequisite_is_deferred_up_to_a_limit_and_uses_no_attempt() -> None:
    error = PrerequisiteMissing("prerequisite:x", "x is not in the books yet")
    first = classify(error, at(attempt=99, deferred=0))
    assert isinstance(first, Defer)
    assert 9 <= first.after_seconds <= 10
    assert first.reason == "prerequisite:x"
    assert classify(error, at(deferred=2)) == DeadLetter("prerequisite:x", "x is not in the books yet")


def test_a_bug_is_retried_and_then_shown_with_its_place_but_without_its_message() -> None:
    try:
        {}["a name and address"]  # type: ignore[index]  # that it fails is what is wanted
    except KeyError as error:
        bug = error
    first = classify(bug, at(attempt=1))
    assert isinstance(first, Retry)
    assert (first.reason, 9 <= first.after_seconds <= 10) == ("bug:KeyError", True)
    last = classify(bug, at(attempt=3))
    assert isinstance(last, DeadLetter)
    assert last.reason == "bug:KeyError"
    assert "test_classify.py" in last.error
    assert "name and address" not in last.error


def test_every_error_of_solid_has_a_row() -> None:
    rows = [*NEITHER_ATTEMPT_NOR_DEFERRAL, *DEFERRED, *BEFORE_A_PERSON]
    parked_under_its_month = {PeriodClosed}  # by applying: see test_periods
    shown = {type(error) for error, _ in rows} | {OutcomeUnknown} | parked_under_its_month
    assert _leaves(SolidError) <= shown
    assert {StoreUnavailable, LeaseLost} <= _leaves(StoreError)


def _leaves(kind: type[Exception]) -> set[type[Exception]]:
    below = kind.__subclasses__()
    return {leaf for each in below for leaf in {each, *_leaves(each)}}
