"""Mutants of the sweep and of doubts without number: nothing ends silently, and nothing is called swept unseen."""

from typing import Final

from tests.mutants.mutant import Mutant

INBOX: Final = "tests/contract/store/test_inbox.py"
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
        "                if _was_answered(error):\n",
        "                if False:\n",
        ("tests/unit/workers/test_sweeping.py::test_what_always_gets_504_holds_up_nothing_else",),
    ),
    Mutant(
        "list-holds-up-the-sweep",
        "A list that a proxy always gives up on holds up no other.",
        "workers/sweeping.py",
        "            if _was_answered(error):\n                self._wait(",
        "            if False:\n                self._wait(",
        ("tests/unit/workers/test_sweeping.py::test_what_always_gets_504_holds_up_nothing_else",),
    ),
    Mutant(
        "contacts-stop-new-customers",
        "One list that Solid always fails stops no new customer.",
        "workers/earlier.py",
        "            if await self.concerns(stream, happened, day):\n",
        "            if True:\n",
        ("tests/unit/workers/test_contacts.py::test_one_list_that_solid_always_fails_stops_no_new_customer",),
    ),
    Mutant(
        "renamed-made-again",
        "A customer of a lost store is not made again because a list fails.",
        "workers/earlier.py",
        "            if await self.concerns(stream, happened, day):\n",
        "            if False:\n",
        ("tests/unit/workers/test_contacts.py::test_one_list_that_solid_always_fails_stops_no_new_customer",),
    ),
)
