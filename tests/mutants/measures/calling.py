"""Mutants of what stops alone: a call that lasts for ever, a company whose table is wrong or whose key is another's."""

from typing import Final

from tests.mutants.mutant import Mutant

DRIPPING: Final = "tests/unit/ops/http/test_dripping.py"
WRONG: Final = "tests/unit/ops/composing/test_wrong_company.py"
KEYS: Final = "tests/unit/ops/composing/test_keys.py"
COMPANIES: Final = "tests/unit/ops/composing/test_waiting_company.py"

MUTANTS: Final = (
    Mutant(
        "drip-for-ever",
        "A server that sends a byte now and then is given up.",
        "runtime/calling.py",
        "            async with asyncio.timeout(seconds):\n",
        "            async with asyncio.timeout(None):\n",
        (f"{DRIPPING}::test_every_client_gives_up_and_says_so",),
    ),
    Mutant(
        "stop-waits-for-a-server",
        "A feed that is to stop waits for no server.",
        "runtime/lifecycle.py",
        "        await asyncio.wait({*tasks, *beside}, return_when=asyncio.FIRST_COMPLETED)\n",
        "        await asyncio.wait(tasks[:1])\n",
        (f"{DRIPPING}::test_whoever_is_to_stop_is_heard_while_a_call_is_under_way",),
    ),
    Mutant(
        "stop-waits-for-tokens",
        "A pull that is to stop does not wait for tokens that another process renews.",
        "producers/calling/tokens.py",
        "        while not _taken(lock):  #",
        "        while not await asyncio.to_thread(lambda: fcntl.flock(lock, fcntl.LOCK_EX) is None):  #",
        (f"{DRIPPING}::test_who_waits_for_tokens_that_another_process_renews_can_be_told_to_stop",),
    ),
    Mutant(
        "wrong-company-ends-all",
        "A wrong value in the table of one company stops no other.",
        "runtime/settings.py",
        "            if not all(_of_one_table(problem) for problem in problems):\n",
        "            if problems:\n",
        (f"{WRONG}::test_it_waits_with_the_text_of_the_error_and_the_others_are_served",),
    ),
    Mutant(
        "wrong-company-works-as-all",
        "A company whose table is wrong is not worked for with what the tables of all say.",
        "runtime/settings.py",
        "        if isinstance(own, WrongCompany):\n",
        "        if isinstance(own, WrongCompany) and False:\n",
        (f"{WRONG}::test_nothing_of_its_own_is_taken_from_the_tables_of_all",),
    ),
    Mutant(
        "lease-of-a-company-not-checked",
        "A claim outlives the calls of each company.",
        "runtime/settings.py",
        '            if "timeout_seconds" in own.solid.model_fields_set and problem is not None:\n',
        "            if False:\n",
        (f"{WRONG}::test_it_waits_with_the_text_of_the_error_and_the_others_are_served",),
    ),
    Mutant(
        "key-changed-while-it-runs",
        "A key file that is changed to another company's while both run spends no allowance twice.",
        "ops/composing/keys.py",
        "        if any(self._earlier(company)):  #",
        "        if False:  #",
        (f"{KEYS}::test_of_those_with_one_key_all_but_the_first_are_refused_at_once_and_until_it_is_mended",),
    ),
    Mutant(
        "key-of-an-idle-company",
        "The key of a company that makes no calls is known too.",
        "ops/composing/keys.py",
        "            self._look(self._companies)\n",
        "            pass\n",
        (f"{KEYS}::test_the_key_that_another_was_given_is_seen_though_it_makes_no_calls_here",),
    ),
    Mutant(
        "both-stopped-for-one-key",
        "Of companies with one key the first goes on.",
        "ops/composing/keys.py",
        "        if other.company < settings.company and _digest_of(other) == own:\n",
        "        if other.company != settings.company and _digest_of(other) == own:\n",
        (f"{COMPANIES}::test_of_two_companies_with_one_key_the_first_works_and_the_other_is_stopped",),
    ),
)
