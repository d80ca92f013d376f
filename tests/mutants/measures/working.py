"""Mutants of a worker's session and of one delivery: what starts, what ends, and what is settled when."""

from typing import Final

from tests.mutants.mutant import Mutant

PIPELINE: Final = "tests/unit/workers/test_pipeline.py"
KINDS: Final = "tests/unit/workers/test_account_kinds.py"
WORKER: Final = "tests/unit/workers/test_worker.py"

MUTANTS: Final = (
    Mutant(
        "ack-on-arrival",
        "A delivery is acknowledged after its last write, not when it is taken.",
        "workers/pipeline.py",
        "            outcome: Outcome = Applied(await self._apply(event, delivery))\n",
        "            await delivery.ack()\n            return Applied(await self._apply(event, delivery))\n",
        (f"{PIPELINE}::test_a_delivery_is_acknowledged_only_when_its_last_write_is_stored_as_applied",),
    ),
    Mutant(
        "nack-on-cancel",
        "A cancelled worker settles nothing: the broker hands over again what its channel held.",
        "workers/worker.py",
        "        except (*BROKEN, MessagingError) as error:\n"
        '            log.warning("delivery.not_settled", error=said_of(error))\n',
        "        except asyncio.CancelledError:\n"
        "            await delivery.message.nack(requeue=True)\n"
        "            raise\n"
        "        except (*BROKEN, MessagingError) as error:\n"
        '            log.warning("delivery.not_settled", error=said_of(error))\n',
        (f"{WORKER}::test_a_cancelled_delivery_is_not_settled",),
    ),
    Mutant(
        "attempt-on-cancel",
        "Being cancelled is not a failure of the event: it uses no attempt.",
        "workers/pipeline.py",
        "        except Exception as error:  # noqa: BLE001 - classify knows every kind, and a bug is one of them\n",
        "        except BaseException as error:\n",
        (f"{PIPELINE}::test_a_cancelled_delivery_settles_nothing",),
    ),
    Mutant(
        "never-given-back",
        "Deliveries in hand go back to the broker when no token has come for worker.hold_seconds.",
        "workers/worker.py",
        "            if self._parts.bucket.longest_wait > hold:\n",
        "            if False:\n",
        (f"{WORKER}::test_a_session_in_which_no_token_comes_ends_and_gives_its_deliveries_back",),
    ),
    Mutant(
        "sweep-off",
        "Every write is looked for once more.",
        "workers/worker.py",
        "            await self._parts.sweeper.run()\n",
        "            pass\n",
        (f"{WORKER}::test_a_session_sweeps_while_it_lasts",),
    ),
    Mutant(
        "sweep-counts-only",
        "The sweep compares ids: a record that is there once, but is not ours, becomes a case.",
        "workers/sweeping.py",
        "if only == row.solid_id:",
        "if True:",
        ("tests/unit/workers/test_sweeping.py::test_a_single_record_that_is_not_the_one_we_know_is_a_case",),
    ),
    Mutant(
        "wrong-company-booked",
        "An event is booked by its own company's workers only.",
        "workers/pipeline.py",
        "        if event.company != self.company:\n",
        "        if False:\n",
        (f"{PIPELINE}::test_another_companys_event_is_never_booked_here",),
    ),
    Mutant(
        "closed-uses-attempts",
        "While Solid is closed no event uses an attempt or becomes a dead letter.",
        "workers/classify.py",
        '            return GiveBack(f"solid_{error.cause}")\n',
        '            return _retry(at, reason=f"solid_{error.cause}", error=str(error), at_least=0)\n',
        ("tests/unit/workers/test_classify.py::test_the_outcome_is_the_same_however_often_it_was_tried",),
    ),
    Mutant(
        "retried-for-ever",
        "After worker.max_attempts attempts an event comes before a person.",
        "workers/retry.py",
        "        return None if attempt >= self.max_attempts else self._delay(attempt, seed)\n",
        "        return self._delay(attempt, seed)\n",
        (
            "tests/unit/workers/test_retry.py::test_a_wait_is_its_step_or_the_one_before_and_none_once_the_attempts_are_used_up",
        ),
    ),
    Mutant(
        "store-not-asked",
        "A worker consumes only once the store takes writes.",
        "workers/worker.py",
        "        await self._parts.inbox.check_in(self._parts.company)\n",
        "",
        (f"{WORKER}::test_a_worker_consumes_only_once_the_store_takes_writes",),
    ),
    Mutant(
        "dialect-not-asked",
        "Nothing is posted to a Solid that speaks another dialect.",
        "workers/worker.py",
        "        if problems:\n            msg = ",
        "        if False:\n            msg = ",
        (f"{WORKER}::test_a_worker_whose_solid_speaks_another_dialect_ends_before_it_consumes",),
    ),
    Mutant(
        "given-back-and-kept",
        "A delivery that Solid or the store could do nothing for goes back to the broker at once.",
        "workers/worker.py",
        '            if isinstance(outcome, GiveBack) and outcome.reason != "no_token":\n',
        "            if False:\n",
        (f"{WORKER}::test_a_delivery_that_could_not_be_settled_ends_the_session_and_so_goes_back",),
    ),
    Mutant(
        "trouble-ignored",
        "A delivery whose settlement failed goes back to the broker at once.",
        "workers/worker.py",
        '                if self._troubled.is_set():\n                    return "',
        '                if False:\n                    return "',
        (f"{WORKER}::test_a_delivery_that_could_not_be_settled_ends_the_session_and_so_goes_back",),
    ),
    Mutant(
        "wrong-kinds-consumed",
        "A worker whose accounts are of the wrong kinds writes nothing.",
        "workers/worker.py",
        "            self._refuse_wrong_kinds(chart)\n",
        "",
        (f"{WORKER}::test_a_worker_whose_income_is_a_liability_ends_before_it_consumes",),
    ),
    Mutant(
        "wrong-kinds-of-pay",
        "An account of pay is of a kind, as one of a role is.",
        "workers/books/books.py",
        "        yield from self.payroll.accounts()\n",
        "",
        (f"{KINDS}::test_accounts_of_pay_are_of_a_kind_too",),
    ),
    Mutant(
        "one-account-two-kinds",
        "One account that would have to be of two kinds is refused when the books are read.",
        "workers/books/account_kinds.py",
        "if not each.allowed & other.allowed:",
        "if each.place == other.place:",
        (f"{KINDS}::test_books_that_want_one_account_to_be_two_kinds_are_refused_when_they_are_read",),
    ),
    Mutant(
        "nearest-of-any-kind",
        "What is proposed for an account of the wrong kind is of a right one.",
        "workers/chart.py",
        "if kind.upper() in named.allowed and len",
        "if kind and len",
        (f"{KINDS}::test_the_nearest_account_of_a_right_kind_is_named",),
    ),
    Mutant(
        "lost-broker-ignored",
        "A worker whose subscription is gone subscribes again.",
        "workers/worker.py",
        "            if consumer.lost.is_set():\n",
        "            if False:\n",
        (f"{WORKER}::test_a_lost_broker_ends_the_session_and_the_next_one_subscribes_again",),
    ),
    Mutant(
        "dead-mint-ignored",
        "A worker whose mint cannot go on ends and says why.",
        "workers/worker.py",
        "            while True:\n                _raise_failure(background)\n",
        "            while True:\n",
        (f"{WORKER}::test_a_worker_whose_mint_cannot_go_on_ends_and_does_not_consume_without_one",),
    ),
    Mutant(
        "calls-cut-short",
        "At a session's end calls under way may finish: none is put in doubt without need.",
        "workers/worker.py",
        "consumer.tasks.finish(self._parts.applier.longest_call)",
        "consumer.tasks.finish(0)",
        (f"{WORKER}::test_a_worker_told_to_stop_drains_what_it_holds_and_lets_calls_end_before_it_gives_back",),
    ),
    Mutant(
        "calls-go-on-starting",
        "At a session's end no new call starts.",
        "workers/worker.py",
        "        bucket.refuse()\n",
        "",
        (f"{WORKER}::test_a_worker_told_to_stop_drains_what_it_holds_and_lets_calls_end_before_it_gives_back",),
    ),
)
