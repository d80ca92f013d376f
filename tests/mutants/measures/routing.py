"""Mutants of what keeps messages on their way: the watch over topology, the election of the mint, replays."""

from typing import Final

from tests.mutants.mutant import Mutant

WATCHED: Final = "tests/integration/test_topology_watched.py"
LETTERS: Final = "tests/contract/store/test_dead_letters.py"
MARKS: Final = "tests/integration/test_marks.py"
BUCKET: Final = "tests/integration/test_bucket.py"
DESK: Final = "tests/unit/ops/desk/test_desk.py"
SAFETY: Final = "tests/unit/ops/composing/test_broker_safety.py"
HOME: Final = "test_what_is_given_back_while_its_home_is_gone_comes_home_once_that_is_repaired"

MUTANTS: Final = (
    Mutant(
        "empty-broker-unnoticed",
        "A broker that has lost its disk is noticed, so that what waited in it is told again.",
        "messaging/marks.py",
        "                self._nothing_kept()\n",
        "                pass\n",
        (f"{MARKS}::test_the_mint_says_that_the_broker_keeps_nothing_and_no_more_once_it_does",),
        needs_broker=True,
    ),
    Mutant(
        "lost-replay-settled",
        "A letter whose replay the broker has lost waits for a person again.",
        "store/lost.py",
        '(letter.company == company) & (letter.state == "replayed")',
        '(letter.company == company) & (letter.state == "waiting")',
        (f"{LETTERS}::test_a_letter_that_was_replayed_and_of_whose_event_nothing_is_known_waits_again",),
    ),
    Mutant(
        "list-with-bodies",
        "A list of dead letters holds no bodies: thousands would fill the memory, and nobody could see any.",
        "store/dead_letters.py",
        "_LIST: Final = select(*(DEAD_LETTERS.c[name] for name in _LISTED))",
        "_LIST: Final = select(DEAD_LETTERS)",
        (f"{LETTERS}::test_a_list_holds_no_bodies",),
    ),
    Mutant(
        "replay-with-all-bodies",
        "A replay of all letters holds one body at a time.",
        "ops/desk/desk.py",
        "    return [await _replay(desk, await desk.letters.get(each), settings, waive=choice.waive) "
        "for each in chosen]\n",
        "    held = [await desk.letters.get(each) for each in chosen]\n"
        "    return [await _replay(desk, each, settings, waive=choice.waive) for each in held]\n",
        (f"{DESK}::test_a_replay_of_all_holds_one_body_at_a_time",),
    ),
    Mutant(
        "deleted-queue-forgotten",
        "What waited in a queue that was deleted is told again, where the store has it.",
        "messaging/watching.py",
        "                    hear()\n",
        "                    pass\n",
        (f"{WATCHED}::test_a_watch_repairs_what_is_taken_away_and_says_which_queues_were_gone",),
        needs_broker=True,
    ),
    Mutant(
        "home-without-alternate",
        "What a retry queue gives back while no stream takes it is kept where it is seen.",
        "messaging/topology.py",
        'alternate: dict[str, Any] = {"alternate-exchange": UNROUTED}',
        "alternate: dict[str, Any] = {}",
        (f"{WATCHED}::{HOME}",),
        needs_broker=True,
    ),
    Mutant(
        "unrouted-stays",
        "What had no home goes home by itself once there is one.",
        "messaging/watching.py",
        "        for _ in range(BROUGHT_HOME_AT_ONCE):\n",
        "        for _ in range(0):\n",
        (f"{WATCHED}::{HOME}",),
        needs_broker=True,
    ),
    Mutant(
        "unrouted-dropped",
        "What still has no home is not dropped.",
        "messaging/watching.py",
        "                left.append(message)\n",
        "                await message.ack()\n",
        (f"{WATCHED}::test_what_has_no_home_does_not_hide_what_lies_behind_it",),
        needs_broker=True,
    ),
    Mutant(
        "unrouted-hides",
        "What has no home does not hide what lies behind it.",
        "messaging/watching.py",
        "        put_back = _store_anew\n",
        "        put_back = _put_back\n",
        (f"{WATCHED}::test_what_has_no_home_does_not_hide_what_lies_behind_it",),
        needs_broker=True,
    ),
    Mutant(
        "retry-queue-unused",
        "A policy that deletes unused queues takes no retry with it.",
        "messaging/watching.py",
        "                await self._use(channel, name)\n",
        "                pass\n",
        (f"{WATCHED}::test_a_policy_that_lets_unused_queues_expire_does_not_delete_retries",),
        needs_broker=True,
    ),
    Mutant(
        "topology-not-watched",
        "What somebody takes away while the relay runs is declared again.",
        "messaging/watching.py",
        "            channel = await declared_channel(self._link, self._companies, self._delays)\n",
        "            channel = await self._link.channel()\n",
        (f"{WATCHED}::test_a_watch_repairs_what_is_taken_away_and_says_which_queues_were_gone",),
        needs_broker=True,
    ),
    Mutant(
        "brake-not-pulled-for-topology",
        "What cannot be repaired pulls the brake.",
        "messaging/watching.py",
        "            for brake in self.brakes:\n",
        "            for brake in self.brakes[:0]:\n",
        (f"{WATCHED}::test_what_cannot_be_repaired_pulls_the_brake_until_it_is_mended",),
        needs_broker=True,
    ),
    Mutant(
        "older-retry-queue-refused",
        "The retry queues of an older relay go on as they are.",
        "messaging/topology.py",
        "            older.add(found.delay_seconds)\n",
        "            raise UnsafeTopology(str(found)) from found\n",
        (f"{WATCHED}::test_retry_queues_of_an_older_relay_go_on_as_they_are",),
        needs_broker=True,
    ),
    Mutant(
        "silent-loss-allowed",
        "A policy by which dead letters vanish stops the relay.",
        "ops/composing/broker_safety.py",
        '            return queue.kind == "dead letters"\n        case "max',
        '            return False\n        case "max',
        (f"{SAFETY}::test_what_loses_facts_in_silence_stops_the_relay_and_what_only_holds_them_up_does_not",),
    ),
    Mutant(
        "baton-only-once",
        "Minting goes on whatever became of the messages in its queue.",
        "messaging/mint.py",
        "            if not minting and not lost.done():\n",
        "            if message.type == BATON and message.redelivered and not minting and not lost.done():\n",
        (f"{BUCKET}::test_minting_goes_on_within_seconds_whatever_becomes_of_its_queue_and_its_minter",),
        needs_broker=True,
    ),
    Mutant(
        "no-word-of-standbys",
        "A standby is elected though nobody wants a token.",
        "messaging/mint.py",
        "            await offer()\n",
        "            pass\n",
        (f"{BUCKET}::test_a_standby_is_elected_though_nobody_wants_a_token",),
        needs_broker=True,
    ),
    Mutant(
        "replay-among-live",
        "A replay travels in a queue of its own, and nothing live stands behind it.",
        "ops/desk/desk.py",
        "        key = replay_key(letter.routing_key)\n",
        "        key = letter.routing_key\n",
        (f"{DESK}::test_a_replay_keeps_the_bytes_and_the_key_starts_at_the_first_attempt_and_is_audited",),
    ),
    Mutant(
        "replay-takes-all-hands",
        "A worker holds few replays at once.",
        "workers/worker.py",
        "        queues[replay_queue(parts.company)] = min(REPLAYED_AT_ONCE, parts.settings.prefetch)\n",
        "",
        ("tests/unit/workers/test_worker.py::test_a_worker_holds_few_replays_at_once",),
    ),
    Mutant(
        "refusal-ends-worker",
        "A worker that the broker refuses waits, and goes on once it may.",
        "workers/worker.py",
        "                except (*BROKEN, MessagingError, StoreUnavailable, SolidError) as error:\n"
        "                    if isinstance(error, DialectMismatch):\n",
        "                except (*BROKEN, MessagingError, StoreUnavailable, SolidError) as error:\n"
        "                    if isinstance(error, DialectMismatch | MessagingError):\n",
        ("tests/unit/workers/test_worker.py::test_a_worker_that_the_broker_refuses_waits_and_goes_on_once_it_may",),
    ),
    Mutant(
        "refusal-ends-mint",
        "A mint or bucket that the broker refuses waits, and goes on once it may.",
        "messaging/connection.py",
        "        except (*BROKEN, MessagingError) as error:\n            problem =",
        "        except BROKEN as error:\n            problem =",
        ("tests/unit/messaging/test_connection.py::test_what_the_broker_refuses_is_waited_for",),
    ),
    Mutant(
        "old-password-kept",
        "A password that was changed in its file is used without a restart.",
        "messaging/connection.py",
        "            address = self._address if isinstance(self._address, SecretStr) else self._address()\n",
        "            if not isinstance(self._address, SecretStr):\n"
        "                self._address = self._address()\n"
        "            address = self._address\n",
        ("tests/unit/messaging/test_connection.py::test_the_address_is_asked_at_each_connect",),
    ),
    Mutant(
        "lost-cancellation",
        "Whoever is told to stop stops, whatever the broker does at that moment.",
        "messaging/connection.py",
        "    if task is not None and task.cancelling():\n",
        "    if False:\n",
        ("tests/unit/messaging/test_connection.py::test_a_cancellation_that_a_session_loses_ends_it_all_the_same",),
    ),
    Mutant(
        "lost-raw-letter-stays-replayed",
        "Raw input that was replayed, and whose events the broker lost, waits for a person again.",
        "ops/desk/desk.py",
        '"waiting", "replayed", headers=kept)',
        '"waiting", "replayed")',
        (f"{DESK}::test_raw_input_whose_events_the_broker_lost_after_a_replay_waits_again",),
    ),
)
