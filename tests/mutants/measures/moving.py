"""Mutants of what moves messages: the webhook receiver, publishing and settling, the mint and its brake."""

from typing import Final

from tests.mutants.mutant import Mutant

DELIVERY: Final = "tests/unit/messaging/test_delivery.py"
MINT: Final = "tests/unit/messaging/test_mint.py"
UNIT_BUCKET: Final = "tests/unit/messaging/test_bucket.py"
WANTS: Final = "tests/unit/messaging/test_wants.py"
LANES: Final = "tests/unit/messaging/test_lanes.py"
DELIVERING: Final = "tests/integration/test_delivering.py"
PUBLISHING: Final = "tests/integration/test_publishing.py"
BUCKET: Final = "tests/integration/test_bucket.py"
RECEIVER: Final = "tests/unit/producers/webhooks/test_receiver.py"
SIGNATURES: Final = "tests/unit/producers/webhooks/test_signatures.py"
CONFIGURED: Final = "tests/unit/producers/webhooks/test_configured_webhook.py"
CONFORMANCE: Final = "tests/unit/producers/test_conformance.py"

MUTANTS: Final = (
    Mutant(
        "signature-not-compared",
        "Only who knows the secret can put a fact into the books.",
        "producers/webhooks/signatures.py",
        "hmac.compare_digest(expected, candidate)",
        "len(expected) == len(candidate)",
        (f"{SIGNATURES}::test_a_forged_signature_is_a_mismatch",),
    ),
    Mutant(
        "old-signature-accepted",
        "A signed webhook that was recorded cannot be sent again later.",
        "producers/webhooks/signatures.py",
        "    if seconds and abs(now.timestamp() - int(seconds)) > signature.tolerance_seconds:\n",
        "    if False:\n",
        (f"{SIGNATURES}::test_past_five_minutes_either_way_it_is_expired",),
    ),
    Mutant(
        "unsigned-time-believed",
        "A time that is not signed makes no old webhook new.",
        "producers/source.py",
        """        if ("timestamp" in self.parts[1::2]) != (self.timestamp is not None):\n""",
        "        if False:\n",
        (f"{CONFIGURED}::test_one_that_cannot_be_used_is_told_and_its_sender_comes_again",),
    ),
    Mutant(
        "people-in-a-queue",
        "No document with people's data can come to lie in a queue, whatever the settings say.",
        "producers/source.py",
        "    if source.people:\n",
        "    if source is None:\n",
        (f"{CONFORMANCE}::test_people_cannot_be_made_a_feed_or_a_webhook",),
    ),
    Mutant(
        "answered-before-confirm",
        "A webhook is answered with 200 only after the broker has confirmed.",
        "producers/webhooks/intake.py",
        "                await self.publisher.publish_all([encoded(event)])\n",
        '                __import__("asyncio").ensure_future(self.publisher.publish(event)).cancel()\n',
        (f"{RECEIVER}::test_without_a_confirmation_the_sender_is_told_to_send_again",),
    ),
    Mutant(
        "unreadable-dropped",
        "An authentic body that cannot be booked is kept for a person.",
        "producers/webhooks/intake.py",
        "                await self._keep(body, normalised, company)\n",
        "                pass\n",
        (f"{RECEIVER}::test_authentic_input_that_cannot_be_booked_is_kept_and_acknowledged",),
    ),
    Mutant(
        "attempts-from-broker",
        "Attempts are counted in our own header: the broker counts every hand-over.",
        "messaging/delivery.py",
        "        return h.count(self.headers, h.ATTEMPT, 1)\n",
        '        return h.count(self.headers, "x-delivery-count", 0) + 1\n',
        (f"{DELIVERY}::test_attempts_are_ours_whatever_the_broker_counts",),
    ),
    Mutant(
        "retry-acked-first",
        "A retry is confirmed before the delivery is acknowledged.",
        "messaging/delivery.py",
        "        await self.publisher.retry(\n",
        "        await self.ack()\n        self.settled = None\n        await self.publisher.retry(\n",
        (f"{DELIVERY}::test_a_copy_is_confirmed_before_the_original_is_acknowledged",),
    ),
    Mutant(
        "dead-letter-acked-first",
        "A dead letter is confirmed before the delivery is acknowledged.",
        "messaging/delivery.py",
        "        await self.publisher.dead_letter(\n",
        "        await self.ack()\n        self.settled = None\n        await self.publisher.dead_letter(\n",
        (f"{DELIVERY}::test_a_copy_is_confirmed_before_the_original_is_acknowledged",),
    ),
    Mutant(
        "settled-twice",
        "A delivery is settled once: a second settlement is a defect and says so.",
        "messaging/delivery.py",
        "        if self.settled is not None:\n",
        "        if False:\n",
        (f"{DELIVERY}::test_a_second_settlement_is_refused",),
    ),
    Mutant(
        "returned-taken-for-stored",
        "An event that no queue takes is an error.",
        "messaging/publisher.py",
        "publish(message, key, mandatory=True)",
        "publish(message, key, mandatory=False)",
        (f"{PUBLISHING}::test_an_event_that_no_queue_takes_is_an_error",),
        needs_broker=True,
    ),
    Mutant(
        "publish-unconfirmed",
        "A publish returns after the broker's confirm.",
        "messaging/connection.py",
        "publisher_confirms=True, on_return_raises=True",
        "publisher_confirms=False",
        (f"{PUBLISHING}::test_a_publish_that_is_not_confirmed_in_time_fails_and_the_next_one_reconnects",),
        needs_broker=True,
    ),
    Mutant(
        "mint-without-election",
        "However many workers run, one mint fills the bucket.",
        "messaging/topology.py",
        ', "x-single-active-consumer": True}',
        "}",
        (f"{BUCKET}::test_many_takers_get_nearly_all_that_is_allowed_and_never_more_in_any_window",),
        needs_broker=True,
    ),
    Mutant(
        "bucket-without-bound",
        "After a quiet time no more calls than the burst reach Solid at once.",
        "messaging/mint.py",
        "limiter = AsyncLimiter(self._burst, self._burst / self._rate)",
        "limiter = AsyncLimiter(self._burst * 50, self._burst * 50 / self._rate)",
        (f"{BUCKET}::test_after_a_quiet_time_no_more_than_the_burst_comes_at_once",),
        needs_broker=True,
    ),
    Mutant(
        "old-token-spent",
        "A token that waited while the process stood still is not spent.",
        "messaging/bucket.py",
        "        if self._stalls.just_stalled or late:",
        "        if False:",
        (f"{UNIT_BUCKET}::test_a_token_that_waited_while_the_process_stood_still_is_not_spent",),
    ),
    Mutant(
        "too-many-under-way",
        "Where the network stands still, no more tokens come late than the sum allows.",
        "messaging/wants.py",
        "        return under_way < self.most_under_way and bool(self._wanting())\n",
        "        return bool(self._wanting())\n",
        ("tests/unit/messaging/test_wants.py::test_no_more_are_under_way_than_may_come_late",),
    ),
    Mutant(
        "late-token-spent",
        "A token that waited for a lease to be renewed is not spent.",
        "solid/transport.py",
        "    return loop.time() - begun <= LATE_SECONDS\n",
        "    return True\n",
        ("tests/unit/solid/test_transport.py::test_a_token_that_waited_for_before_send_is_not_spent_but_another",),
    ),
    Mutant(
        "tokens-for-nobody",
        "Nobody gets more tokens than were asked for.",
        "messaging/wants.py",
        "        want.sent += 1\n",
        "",
        (f"{MINT}::test_nobody_gets_more_than_was_wanted",),
    ),
    Mutant(
        "tokens-for-who-gave-up",
        "Whoever waits for a token no more gets none.",
        "messaging/wants.py",
        "                want.wanted = wanted  #",
        "                want.wanted = max(want.wanted, wanted)  #",
        (f"{WANTS}::test_whoever_waits_no_more_gets_nothing",),
    ),
    Mutant(
        "mint-deafened",
        "A word that cannot be read does not stay with the mint and make it deaf.",
        "messaging/mint.py",
        "        except Exception as error:  # noqa: BLE001 - anybody may have put it there\n",
        "        except ZeroDivisionError as error:\n",
        (f"{MINT}::test_a_word_that_cannot_be_read_changes_nothing",),
    ),
    Mutant(
        "lane-starves",
        "No lane starves, however much the others want.",
        "messaging/lanes.py",
        "            self._credit[lane] = self._credit.get(lane, 0) + self.weights[lane]\n",
        "            self._credit[lane] = self.weights[lane]\n",
        (f"{LANES}::test_over_a_round_each_lane_gets_exactly_its_weight",),
    ),
    Mutant(
        "429-ignored",
        "Where somebody else uses the key, the mint goes slower.",
        "messaging/mint.py",
        "                self._pace.refused(now=now)\n",
        "                pass\n",
        (f"{MINT}::test_a_429_slows_the_mint_and_what_is_refused_meanwhile_counts_once",),
    ),
    Mutant(
        "brake-ignored",
        "When one call finds Solid unable, all workers stop.",
        "messaging/mint.py",
        "        elif kind == BRAKE:\n",
        "        elif False:\n",
        (f"{BUCKET}::test_a_pulled_brake_stops_every_worker_until_a_probe_is_answered",),
        needs_broker=True,
    ),
    Mutant(
        "bucket-not-empty",
        "After every election the bucket starts empty.",
        "messaging/mint.py",
        "        await limiter.acquire(self._burst)\n",
        "",
        (f"{MINT}::test_an_elected_mint_starts_with_nothing_and_paces_from_there",),
    ),
    Mutant(
        "token-after-brake",
        "Once the brake is pulled no token follows but probes.",
        "messaging/mint.py",
        '            if not self._brake.on:\n                await self._hand_out(channel, "")\n',
        '            await self._hand_out(channel, "")\n',
        (f"{MINT}::test_no_token_follows_once_the_brake_is_pulled",),
    ),
    Mutant(
        "prefetch-unlimited",
        "A worker holds no more deliveries than worker.prefetch.",
        "messaging/consumer.py",
        "            await within(10, channel.set_qos(prefetch_count=prefetch))  #",
        "            #",
        (f"{DELIVERING}::test_no_more_than_the_prefetch_is_in_hand_at_once",),
        needs_broker=True,
    ),
    Mutant(
        "letter-acked-unkept",
        "A dead letter leaves its queue only when the database has it.",
        "messaging/drain.py",
        "                await keep(_dead(name, message))\n                await message.ack()\n",
        "                await message.ack()\n                await keep(_dead(name, message))\n",
        (f"{DELIVERING}::test_a_dead_letter_that_was_not_kept_comes_again_with_the_same_id",),
        needs_broker=True,
    ),
)
