"""Mutants of the sweep and of doubts without number: nothing ends silently, and nothing is called swept unseen."""

from typing import Final

from tests.mutants.mutant import Mutant

INBOX: Final = "tests/contract/store/test_inbox.py"
FAILING: Final = "tests/unit/workers/test_failing_lists.py"
SWEEPING: Final = "tests/unit/workers/test_sweeping.py"

MUTANTS: Final = (
    Mutant(
        "any-year",
        "A date that is none (9999-12-31) is refused with its place, whatever document says it.",
        "schemas/dates.py",
        "    if day.year not in YEARS:\n",
        "    if False:\n",
        ("tests/unit/schemas/test_dates.py::test_a_date_outside_of_the_years_of_events_is_refused_wherever_it_stands",),
    ),
    Mutant(
        "far-date-overflows",
        "A record of the last day there is can be looked for like any other.",
        "solid/lookups.py",
        "    except OverflowError:\n",
        "    except ZeroDivisionError:\n",
        (f"{SWEEPING}::test_a_record_of_the_last_day_there_is_does_not_end_the_sweep",),
    ),
    Mutant(
        "sweep-ends-for-good",
        "A sweep that fails in an unexpected way is logged, and goes on in the next session.",
        "workers/worker.py",
        '            log.exception("sweep.ended")\n            self._troubled.set()\n',
        "            pass\n",
        ("tests/unit/workers/test_worker.py::test_a_sweep_that_failed_is_swept_again_in_the_next_session",),
    ),
    Mutant(
        "unread-called-swept",
        "What could not be read was not looked at: it is tried again.",
        "workers/sweeping.py",
        "            if isinstance(answer, Inconclusive) and not await self._person_looked(row):\n",
        "            if False:\n",
        (f"{SWEEPING}::test_what_could_not_be_read_is_looked_at_once_it_can_be",),
    ),
    Mutant(
        "unread-holds-up-the-rest",
        "Days that cannot be read hold up no others.",
        "workers/sweeping.py",
        "(row.kind, *days_of(row)) not in self._waits]",
        "True]",
        (f"{SWEEPING}::test_days_that_cannot_be_read_hold_up_no_others",),
    ),
    Mutant(
        "odd-write-ends-the-sweep",
        "A write that cannot be looked up for an unexpected reason holds up none behind it.",
        "workers/sweeping.py",
        "row.external_id)\n            self._past = (row.updated_at, row.external_id)\n",
        "row.external_id)\n",
        (f"{SWEEPING}::test_what_could_not_be_read_is_looked_at_once_it_can_be",),
    ),
    Mutant(
        "newest-doubt-watched-first",
        "However many doubts there are, those that are watched come of age and make room.",
        "store/watch.py",
        "            if now - last < NOT_SEEN_SECONDS:\n",
        "            if False:\n",
        ("tests/unit/store/test_watch.py::test_more_doubts_than_can_be_watched_all_settle_in_the_end",),
    ),
    Mutant(
        "settled-doubt-watched-on",
        "What is settled takes no room from doubts.",
        "store/inbox.py",
        "        self._forget(before, after)\n",
        "",
        (f"{INBOX}::test_more_doubts_than_one_process_watches_all_come_of_age",),
    ),
    Mutant(
        "look-up-holds-up-the-sweep",
        "A look-up that a proxy always gives up on holds up no other.",
        "workers/sweeping.py",
        "except SolidError as error:\n                if _is_of_all(error):\n",
        "except SolidError as error:\n                if isinstance(error, Unavailable):\n",
        (f"{FAILING}::test_what_always_fails_holds_up_nothing_else_of_the_sweep_and_becomes_one_case",),
    ),
    Mutant(
        "list-holds-up-the-sweep",
        "A list that a proxy always gives up on holds up no other.",
        "workers/sweeping.py",
        "except SolidError as error:\n            if _is_of_all(error):\n",
        "except SolidError as error:\n            if isinstance(error, Unavailable):\n",
        (f"{FAILING}::test_what_always_fails_holds_up_nothing_else_of_the_sweep_and_becomes_one_case",),
    ),
    Mutant(
        "unswept-told-to-nobody",
        "What the sweep can never look at comes before a person.",
        "workers/sweeping.py",
        "        return self._served_at > since and now - since >= FAILS_FOR_LONG_SECONDS\n",
        "        return False\n",
        (f"{FAILING}::test_what_always_fails_holds_up_nothing_else_of_the_sweep_and_becomes_one_case",),
    ),
    Mutant(
        "outage-makes-cases",
        "An outage asks no person to look at every write.",
        "workers/sweeping.py",
        "        return self._served_at > since and now - since >= FAILS_FOR_LONG_SECONDS\n",
        "        return now - since >= FAILS_FOR_LONG_SECONDS\n",
        (f"{FAILING}::test_an_outage_of_all_is_no_case_and_what_it_held_up_is_swept_then",),
    ),
    Mutant(
        "failed-list-taken-for-unreadable",
        "A list that Solid fails hides whether an earlier inbox has posted: what needs it waits.",
        "workers/earlier.py",
        "            raise\n        watch.forget(ever_since)\n",
        "            raise NotRead from None\n        watch.forget(ever_since)\n",
        (f"{FAILING}::test_what_a_backup_says_was_refused_a_lost_store_may_have_posted",),
    ),
    Mutant(
        "failing-list-asked-by-each",
        "A list that Solid fails is not asked for by each fact that needs it: each would pull the brake.",
        "workers/earlier.py",
        "        if ago is not None and ago < pause:\n",
        "        if False:\n",
        (f"{FAILING}::test_a_failing_list_is_asked_once_in_a_while_whoever_needs_it_and_comes_before_a_person",),
    ),
    Mutant(
        "failing-list-told-to-nobody",
        "Facts that wait for a list that Solid fails come before a person.",
        "workers/earlier.py",
        "        if seconds >= FAILS_FOR_LONG_SECONDS:\n",
        "        if False:\n",
        (f"{FAILING}::test_a_failing_list_is_asked_once_in_a_while_whoever_needs_it_and_comes_before_a_person",),
    ),
)
