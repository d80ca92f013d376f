"""Mutants of calls to other people's servers: none lasts for ever, and whoever is to stop is heard while one does."""

from typing import Final

from tests.mutants.mutant import Mutant

DRIPPING: Final = "tests/unit/ops/test_dripping.py"

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
        "producers/feeds/feed.py",
        "        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)\n",
        "        await asyncio.wait({working})\n",
        (f"{DRIPPING}::test_whoever_is_to_stop_is_heard_while_a_call_is_under_way",),
    ),
    Mutant(
        "stop-waits-for-tokens",
        "A pull that is to stop does not wait for tokens that another process renews.",
        "producers/payroll/clients/tokens.py",
        "        while not _taken(lock):  #",
        "        while not await asyncio.to_thread(lambda: fcntl.flock(lock, fcntl.LOCK_EX) is None):  #",
        (f"{DRIPPING}::test_who_waits_for_tokens_that_another_process_renews_can_be_told_to_stop",),
    ),
)
