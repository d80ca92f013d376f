"""Mutants of the sweep and of doubts without number: nothing ends silently, and nothing is called swept unseen."""

from typing import Final

from tests.mutants.mutant import Mutant

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
)
