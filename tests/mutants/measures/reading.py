"""Mutants of the way to Solid and back: pacing, what an answer means, and what a look-up may conclude."""

from typing import Final

from tests.mutants.mutant import Mutant

TRANSPORT: Final = "tests/unit/solid/test_transport.py"
ANSWERS: Final = "tests/unit/solid/test_answers.py"
LOOKUPS: Final = "tests/unit/solid/test_lookups.py"

MUTANTS: Final = (
    Mutant(
        "token-without-limiter",
        "No call to Solid leaves without a token.",
        "solid/transport.py",
        "        token = await self._limiter.take()\n",
        '        token: Any = type("Free", (), {"probe": False, "number": 1})()\n',
        (f"{TRANSPORT}::test_a_token_is_taken_then_before_send_then_the_request",),
    ),
    Mutant(
        "fence-not-asked",
        "The fence is asked last, right before the call leaves.",
        "solid/transport.py",
        "    await before_send()\n",
        "    pass\n",
        (f"{TRANSPORT}::test_when_before_send_raises_nothing_is_sent_and_its_error_is_kept",),
    ),
    Mutant(
        "outage-not-reported",
        "A call that found Solid unable pulls the brake.",
        "solid/transport.py",
        "            await self._report(token, systemic)\n",
        "            await self._report(token, None)\n",
        (f"{TRANSPORT}::test_the_token_is_reported_with_what_became_of_it",),
    ),
    Mutant(
        "timeout-taken-for-unsent",
        "A call without an answer may have been done.",
        "solid/answers.py",
        "httpx2.ConnectTimeout, httpx2.PoolTimeout,",
        "httpx2.TimeoutException,",
        (f"{ANSWERS}::test_what_left_without_an_answer_to_trust_is_unknown",),
    ),
    Mutant(
        "revoked-key-is-poison",
        "A refused key is no fault of the event.",
        "solid/answers.py",
        '    401: "unauthorised",\n',
        "",
        (f"{ANSWERS}::test_what_stops_every_call_is_systemic",),
    ),
    Mutant(
        "success-without-id",
        "A success that shows no id is no answer: the write is in doubt.",
        "solid/client.py",
        "        if not isinstance(solid_id, str | int) or isinstance(solid_id, bool) or not solid_id:\n",
        "        if False:\n",
        (f"{ANSWERS}::test_what_left_without_an_answer_to_trust_is_unknown",),
    ),
    Mutant(
        "look-up-not-compared",
        "Rows are compared by the relay itself, whatever Solid was asked.",
        "solid/lookups.py",
        " if any(row.get(field) == sought.external_id for field in fields)]",
        "]",
        (f"{LOOKUPS}::test_rows_of_an_ignored_filter_are_compared_here",),
    ),
    Mutant(
        "cut-list-is-absent",
        "Absent is said only after every row was seen.",
        "solid/lookups.py",
        "    if listing.cut is not None:\n",
        "    if False:\n",
        (f"{LOOKUPS}::test_a_full_looking_page_without_hints_is_never_absent",),
    ),
    Mutant(
        "full-page-trusted",
        "A page that looks full, and does not say that it is the last, may be cut.",
        "solid/pages.py",
        "    if count in USUAL_PAGE_SIZES or (hint is not None and count >= hint):\n",
        "    if False:\n",
        (f"{LOOKUPS}::test_a_full_looking_page_without_hints_is_never_absent",),
    ),
    Mutant(
        "rows-without-key-are-absent",
        "Where no row shows our key, none was compared.",
        "solid/lookups.py",
        "    if listing.rows and not any(field in row for row in listing.rows for field in fields):\n",
        "    if False:\n",
        (f"{LOOKUPS}::test_rows_that_show_no_key_cannot_be_compared",),
    ),
)
