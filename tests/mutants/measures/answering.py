"""Mutants of what others answer: a no after a yes, answers that are too large, accounts and keys that are wrong."""

from typing import Final

from tests.mutants.mutant import Mutant

ANSWERS: Final = "tests/unit/solid/test_answers.py"
CALLING: Final = "tests/unit/runtime/test_calling.py"
COMPANIES: Final = "tests/unit/ops/composing/test_waiting_company.py"
AFTER_YES: Final = "tests/unit/workers/applying/test_no_after_yes.py"

MUTANTS: Final = (
    Mutant(
        "no-after-yes-believed",
        "A no to a write is believed only where it proves that nothing was written.",
        "solid/answers.py",
        "    doubted = RefusedInDoubt if _was_a_write(response) else Refused\n",
        "    doubted = Refused\n",
        (f"{AFTER_YES}::test_a_record_that_is_there_is_adopted_whatever_was_answered",),
    ),
    Mutant(
        "408-taken-for-a-no",
        "A 408 or 425 says nothing of whether it was done.",
        "solid/answers.py",
        "    if response.is_server_error or status in _LATER:\n",
        "    if response.is_server_error:\n",
        (f"{ANSWERS}::test_what_left_without_an_answer_to_trust_is_unknown",),
    ),
    Mutant(
        "429-leaves-no-doubt",
        "A write that met a 429 or a 401 may have been done.",
        "solid/answers.py",
        '        sent=cause == "unavailable" or _was_a_write(response),\n',
        '        sent=cause == "unavailable",\n',
        (f"{AFTER_YES}::test_a_record_that_is_there_is_adopted_whatever_was_answered",),
    ),
    Mutant(
        "proven-no-sent-again",
        "A no that a look-up has proven is not sent again by itself.",
        "workers/applying.py",
        "        if known is None and isinstance(claim, Doubt) and claim.no is not None:\n",
        "        if False:\n",
        (f"{AFTER_YES}::test_what_is_not_there_is_a_refusal_that_stays_one_or_is_sent_again",),
    ),
    Mutant(
        "old-no-believed",
        "What an earlier call was refused with says nothing of the call in doubt.",
        "store/transitions.py",
        "    if row.doubt_since is None or row.error_code is None:\n",
        "    if row.error_code is None:\n",
        ("tests/contract/store/test_doubts.py::test_an_old_no_says_nothing_of_the_call_that_fell_silent",),
    ),
    Mutant(
        "unpacked-without-bound",
        "However little an answer weighs, it takes no more than is allowed when it is unpacked.",
        "runtime/calling.py",
        "                if len(body) > self._most_bytes:\n",
        "                if False:\n",
        (f"{CALLING}::test_a_small_answer_that_unpacks_to_a_lot_takes_no_more_than_is_allowed",),
    ),
    Mutant(
        "environment-s-proxy",
        "The proxy of the environment is not trusted with keys and books.",
        "runtime/calling.py",
        "    sending = transport or httpx2.AsyncHTTPTransport(proxy=through, trust_env=False, verify=trust or True)\n",
        "    from urllib.request import getproxies\n"
        '    sending = transport or httpx2.AsyncHTTPTransport(proxy=through or getproxies().get("http"))\n',
        (f"{CALLING}::test_the_proxy_of_the_environment_is_not_trusted",),
    ),
    Mutant(
        "user-in-a-next-link",
        "A next page whose address names another user or server is asked of nobody.",
        "producers/feeds/polling.py",
        "        origin = None if parsed.userinfo else parsed.origin\n",
        "        origin: object = parsed.host\n",
        ("tests/unit/producers/feeds/test_next_pages.py::test_it_is_refused_plainly_and_the_token_goes_nowhere",),
    ),
    Mutant(
        "one-company-stops-all",
        "A file or setting of one company that is wrong stops that company alone.",
        "ops/composing/companies.py",
        "        if len(problems) == len(workers):\n",
        "        if problems:\n",
        (f"{COMPANIES}::test_the_others_are_served_and_it_is_told",),
    ),
    Mutant(
        "one-key-with-two-buckets",
        "Two companies never spend one key's allowance twice.",
        "ops/composing/companies.py",
        "    key()\n    bucket",
        "    bucket",
        (f"{COMPANIES}::test_of_two_companies_with_one_key_the_first_works_and_the_other_is_stopped",),
    ),
    Mutant(
        "one-answer-stops-for-ever",
        "One wrong answer does not stop a company for ever.",
        "messaging/brake.py",
        "            self.next_probe = max(self.next_probe, now + bounded(retry_after))\n",
        "            self.next_probe = max(self.next_probe, now + retry_after)\n",
        ("tests/unit/messaging/test_brake.py::test_one_wrong_answer_does_not_stop_for_ever",),
    ),
    Mutant(
        "pay-line-in-any-currency",
        "A line of a pay run in another currency is never booked as the books' own.",
        "workers/plans/payroll_lines.py",
        "        must_be_in_base_currency(books, line.amount)\n",
        "",
        (
            "tests/unit/workers/books/test_payroll_policy.py::test_a_line_with_an_account_of_its_own_is_parked_in_another_currency_too",
        ),
    ),
    Mutant(
        "check-brakes-all",
        "What `relay check` meets never brakes those who work.",
        "ops/checks/check.py",
        "        if cause is None:\n            await self._bucket.report(token, cause=None,",
        "        if True:\n            await self._bucket.report(token, cause=cause,",
        ("tests/unit/ops/checks/test_check_quiet.py::test_what_a_check_meets_brakes_nobody",),
    ),
    Mutant(
        "income-on-a-liability",
        "An account of the wrong kind for its role is never booked to.",
        "workers/chart.py",
        "        if name in self._wrong:\n",
        "        if False:\n",
        ("tests/unit/workers/test_account_kinds.py::test_what_needs_it_is_parked_and_the_rest_is_booked",),
    ),
)
