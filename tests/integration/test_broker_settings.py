"""`relay check` on a real broker that is set up in unsafe ways: each is named in a sentence, and sound ones are not."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aio_pika
import httpx2
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from messaging.topology import RAW_DLQ, declare_events, retry_queue, stream_queue
from ops.checks.broker import BROKER, SETTINGS, check_broker
from ops.checks.findings import Checklist, Finding
from runtime.settings import RabbitSettings, ReceiverSettings, Settings
from staging.broker import Broker, unpacked
from staging.broker.node import PrivateNode, installed_server
from tests.integration.administering import VHOST, asked, policy_on
from tests.integration.wiring import CLOCK, DELAYS, linked


def settings_of(broker: Broker, company: str, **rabbit: Any) -> Settings:  # noqa: ANN401 - any setting
    given = {"url": broker.url, "management_url": broker.management_url, "retry_delays_seconds": DELAYS} | rabbit
    return Settings(company=company, rabbitmq=RabbitSettings.model_validate(given))


async def looked_at(settings: Settings) -> list[Finding]:
    checklist = Checklist()
    await check_broker(checklist, settings, CLOCK)
    return checklist.findings


async def wrong_on(broker: Broker, company: str, **rabbit: Any) -> list[str]:  # noqa: ANN401
    findings = await looked_at(settings_of(broker, company, **rabbit))
    return [finding.text for finding in findings if not finding.ok]


async def test_a_broker_as_it_comes_is_safe_and_its_single_node_is_noted(managed_broker: Broker, company: str) -> None:
    findings = await looked_at(settings_of(managed_broker, company))
    assert [finding.text for finding in findings if not finding.ok] == []
    assert findings[0].text.endswith("every queue has the arguments that keep facts safe")
    assert "1 node: the loss of one disk loses what waits" in " ".join(each.text for each in findings if each.note)


async def test_the_check_leaves_no_queue_of_its_own_behind(managed_broker: Broker, company: str) -> None:
    await looked_at(settings_of(managed_broker, company))
    async with httpx2.AsyncClient(base_url=f"{managed_broker.management_url}/api/", auth=("guest", "guest")) as client:
        queues = (await client.get(f"queues/{VHOST}?columns=name")).json()
    assert [queue["name"] for queue in queues if queue["name"].startswith("relay.check")] == []


@pytest.mark.parametrize(
    ("definition", "queue", "said"),
    [
        (
            {"message_ttl": 3_600_000},
            "relay.sales.dlq",
            "a message-ttl of 3600000 ms: dead letters would vanish after 1 hour",
        ),
        ({"message_ttl": 3_600_000}, "{company}.sales", "events would become dead letters after 1 hour of waiting"),
        ({"message_ttl": 100}, "retry.0.5s", "retries would come back after 100 ms"),
        ({"expires": 86_400_000}, "relay.raw.dlq", "an expires of 86400000 ms: left alone for 1 day, the queue would"),
        ({"max_length": 5000}, "relay.sales.dlq", "the oldest dead letters would be dropped once 5000 wait"),
        (
            {"max_length": 5000},
            "{company}.sales",
            "events would be refused once 5000 wait: the receiver then answers 503",
        ),
        ({"max_length_bytes": 9999}, "retry.0.5s", "retries would be refused once 9999 bytes wait"),
        (
            {"delivery_limit": 20},
            "{company}.sales",
            "events that are given back 20 times, as on a bad day, would become",
        ),
        (
            {"delivery_limit": 20},
            "relay.sales.dlq",
            "a dead letter that `relay dead` takes 20 times without storing it",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["policies", "operator-policies"])
async def test_a_policy_that_endangers_facts_is_named_with_what_it_does_and_how_to_end_it(  # noqa: PLR0913, PLR0917
    managed_broker: Broker, company: str, kind: str, definition: dict[str, Any], queue: str, said: str
) -> None:
    async with policy_on(managed_broker, "harmful", kind=kind, **definition):
        wrong = await wrong_on(managed_broker, company)
    named = [text for text in wrong if queue.format(company=company) in text]
    assert any(said in text for text in named), wrong
    what, command = ("policy", "clear_policy") if kind == "policies" else ("operator policy", "clear_operator_policy")
    assert all(text.startswith(f'{what} "harmful" gives ') for text in named)
    assert all(text.endswith(f"or remove it: rabbitmqctl {command} -p / harmful") for text in named)


async def test_a_policy_that_sends_retries_elsewhere_is_named(managed_broker: Broker, company: str) -> None:
    async with policy_on(managed_broker, "detour", dead_letter_routing_key="x"):
        [text] = await wrong_on(managed_broker, company)
    assert "gives relay.retry.0.2s, relay.retry.0.5s a dead-letter-routing-key of x" in text
    assert "retries would come back under a foreign key" in text


async def test_a_consumer_timeout_below_what_a_worker_holds_is_named(
    managed_broker: Broker, company: str, *, rabbitmq_4: bool
) -> None:
    if not rabbitmq_4:
        pytest.skip("3.10 knows no such policy")
    async with policy_on(managed_broker, "hasty", consumer_timeout=300_000):
        [text] = await wrong_on(managed_broker, company)
    assert "a consumer-timeout of 300000 ms: a worker may have an event in hand for 10 minutes, and would be" in text


@pytest.mark.parametrize(
    "definition",
    [
        {"overflow": "drop-head"},
        {"dead_letter_exchange": "amq.topic"},
        {"dead_letter_strategy": "at-most-once"},
        {"message_ttl": 3_600_000, "pattern": r"^other\."},
        {"message_ttl": 3_600_000, "apply_to": "exchanges"},
    ],
)
async def test_a_policy_that_cannot_harm_is_not_named(
    managed_broker: Broker, company: str, definition: dict[str, Any]
) -> None:
    async with policy_on(managed_broker, "harmless", **definition):
        assert await wrong_on(managed_broker, company) == []


async def test_the_policy_of_highest_priority_is_the_one_that_counts(managed_broker: Broker, company: str) -> None:
    safe = {"pattern": r"^relay\.", "apply-to": "queues", "priority": 9, "definition": {"overflow": "reject-publish"}}
    async with policy_on(managed_broker, "hidden", message_ttl=1000):
        await asked(managed_broker, "PUT", f"policies/{VHOST}/above", safe)
        try:
            assert await wrong_on(managed_broker, company) == []
        finally:
            await asked(managed_broker, "DELETE", f"policies/{VHOST}/above")


async def test_such_a_policy_really_takes_dead_letters_away(managed_broker: Broker, company: str) -> None:
    """What the check warns of is so on this version of RabbitMQ: a queue without a time limit gets the policy's."""
    async with linked(managed_broker.url) as link:
        channel = await link.channel()
        await declare_events(channel, [company], DELAYS)
        async with policy_on(managed_broker, "shredder", pattern=rf"^{RAW_DLQ}$", message_ttl=1):
            await channel.default_exchange.publish(aio_pika.Message(b"a letter"), RAW_DLQ)
            queue = await channel.get_queue(RAW_DLQ, ensure=False)
            await until_empty(channel)
            assert await queue.get(fail=False) is None


async def until_empty(channel: AbstractChannel) -> None:
    while (await channel.declare_queue(RAW_DLQ, passive=True)).declaration_result.message_count:
        pass


async def test_an_alternate_exchange_is_seen_by_what_it_does_and_by_its_policy(
    managed_broker: Broker, company: str
) -> None:
    async with linked(managed_broker.url) as link:
        channel = await link.channel()
        all_else = await channel.declare_exchange(f"else.{company}", "fanout")
        await (await channel.declare_queue(f"else.{company}", exclusive=True)).bind(all_else)
        async with policy_on(
            managed_broker, "else", pattern="^relay.events$", apply_to="exchanges", alternate_exchange=all_else.name
        ):
            done, told = await wrong_on(managed_broker, company)
        await all_else.delete(if_unused=False)
    assert "relay.events has taken a message that no stream takes" in done
    assert 'policy "else" gives relay.events an alternate-exchange' in told


@pytest.mark.parametrize("what", ["stream", "retry"])
async def test_a_classic_queue_under_one_of_our_names_is_named(managed_broker: Broker, company: str, what: str) -> None:
    delay = 0.3 + int(company[1:], 16) % 10_000 / 1e6  # a delay of this test's own
    name = stream_queue(company, "sales") if what == "stream" else retry_queue(delay)
    async with linked(managed_broker.url) as link:
        await (await link.channel()).declare_queue(name, durable=True, arguments={"x-queue-type": "classic"})
    [text] = await wrong_on(managed_broker, company, retry_delays_seconds=(delay,))
    assert name in text
    assert "exists with other arguments" in text


async def test_a_foreign_binding_to_a_stream_is_named(managed_broker: Broker, company: str) -> None:
    await looked_at(settings_of(managed_broker, company))
    name = stream_queue(company, "sales")
    async with linked(managed_broker.url) as link:
        queue = await (await link.channel()).get_queue(name, ensure=False)
        await queue.bind("relay.events", "other.sales.#")
    [text] = await wrong_on(managed_broker, company)
    assert f'{name} is also bound to relay.events with "other.sales.#"' in text


async def ignored(_message: AbstractIncomingMessage) -> None:
    """Take it and never settle it: it goes back when the channel ends."""


async def test_a_consumer_of_dead_letters_is_named(managed_broker: Broker, company: str) -> None:
    await looked_at(settings_of(managed_broker, company))
    async with linked(managed_broker.url) as link:
        queue = await (await link.channel()).get_queue("relay.sales.dlq", ensure=False)
        tag = await queue.consume(ignored)
        wrong: list[str] = []
        async with asyncio.timeout(10):
            while not wrong:  # the API hears of a consumer a moment later
                wrong = await wrong_on(managed_broker, company)
        [text] = wrong
        await queue.cancel(tag)
    assert re.match(r"relay.sales.dlq is consumed by (somebody|user guest at 127\.0\.0\.1): dead letters go", text)


@asynccontextmanager
async def user_on(broker: Broker, *, tags: str = "", **permissions: str) -> AsyncIterator[str]:
    """Have a user, and give the broker's URL with it; what is not said is allowed."""
    granted = {"configure": ".*", "write": ".*", "read": ".*"} | permissions
    await asked(broker, "PUT", "users/limited", {"password": "s3cret!", "tags": tags})
    await asked(broker, "PUT", f"permissions/{VHOST}/limited", granted)
    try:
        yield broker.url.replace("guest:guest", f"limited:{quote('s3cret!', safe='')}")
    finally:
        await asked(broker, "DELETE", "users/limited")


@pytest.mark.parametrize(
    "permissions",
    [{"configure": r"^relay\..*\.dlq$"}, {"write": r"^relay\."}, {"read": r"^relay\.(?!check)"}],
    ids=lambda permissions: next(iter(permissions)),
)
async def test_a_user_without_a_permission_is_told_which_command_gives_it(
    managed_broker: Broker, company: str, permissions: dict[str, str]
) -> None:
    async with user_on(managed_broker, tags="monitoring", **permissions) as url:
        wrong = await wrong_on(managed_broker, company, url=url)
    assert len(wrong) >= 1
    assert r"rabbitmqctl set_permissions USER '^relay\.' '^(relay\..*|amq\.default)$' '^relay\.'" in wrong[0]
    assert "s3cret!" not in "".join(wrong)


async def test_the_permissions_that_the_check_asks_for_are_enough(managed_broker: Broker, company: str) -> None:
    least = {"configure": r"^relay\.", "write": r"^(relay\..*|amq\.default)$", "read": r"^relay\."}
    async with user_on(managed_broker, tags="monitoring", **least) as url:
        assert await wrong_on(managed_broker, company, url=url) == []


async def test_a_user_who_may_not_look_is_told_which_tag_it_needs(managed_broker: Broker, company: str) -> None:
    async with user_on(managed_broker) as url:
        [text] = await wrong_on(managed_broker, company, url=url)
        assert "refuses the user: give it the tag: rabbitmqctl set_user_tags USER monitoring" in text
        other = (managed_broker.management_url or "").replace("http://", "http://guest:guest@")
        assert await wrong_on(managed_broker, company, url=url, management_url=other) == []


async def test_what_is_not_the_management_api_is_told_so(managed_broker: Broker, company: str) -> None:
    [text] = await wrong_on(managed_broker, company, management_url=managed_broker.url.replace("amqp:", "http:"))
    assert text.startswith("rabbitmq.management_url: http://127.0.0.1:")
    assert "Is the plugin rabbitmq_management on, and the port right?" in text
    assert "guest:guest" not in text


async def test_without_the_management_api_the_check_says_what_it_could_not_see(
    managed_broker: Broker, company: str
) -> None:
    findings = await looked_at(settings_of(managed_broker, company, management_url=None))
    assert all(finding.ok for finding in findings)
    [note] = [finding for finding in findings if finding.note]
    assert note.what == SETTINGS
    assert "policies, bindings and consumers were not seen: set rabbitmq.management_url" in note.text
    assert "rabbitmqctl list_policies" in note.text


@contextlib.contextmanager
def node_with(*lines: str, rabbitmq_4: bool, **variables: str) -> Iterator[PrivateNode]:
    """A node of our own with lines in its rabbitmq.conf."""
    server = unpacked.SERVER if rabbitmq_4 else installed_server()
    if server is None:
        pytest.skip("no RabbitMQ is installed here")
    node = PrivateNode(server, plugins=["rabbitmq_management"], root=unpacked.ready(print) if rabbitmq_4 else None)
    with (node._folder / "rabbitmq.conf").open("a") as configuration:
        configuration.writelines(f"{line}\n" for line in lines)
    node._environment |= variables
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.mark.long
async def test_an_alarm_in_force_is_named_and_noticed_without_the_management_api(
    company: str, *, rabbitmq_4: bool
) -> None:
    with node_with("vm_memory_high_watermark.absolute = 1MB", rabbitmq_4=rabbitmq_4) as node:
        blocked, alarm = await wrong_on(node, company, publish_timeout_seconds=1)
    assert blocked.startswith("it did not take a message within 1 s: a memory or disk alarm blocks all who publish")
    assert alarm.startswith("memory alarm on relay-")
    assert "while it is in force, nobody can publish" in alarm


@pytest.mark.long
async def test_a_limit_of_messages_below_what_the_receiver_accepts_is_named(company: str, *, rabbitmq_4: bool) -> None:
    with node_with("max_message_size = 200000", rabbitmq_4=rabbitmq_4) as node:
        settings = settings_of(node, company)
        [wrong] = [finding for finding in await looked_at(settings) if not finding.ok]
        fitting = settings.model_copy(update={"receiver": ReceiverSettings(max_body_bytes=200_000)})
        assert [finding.text for finding in await looked_at(fitting) if not finding.ok] == []
    assert wrong.what == BROKER
    assert "does not take a message of 1048576 bytes, and receiver.max_body_bytes promises that" in wrong.text
    assert "max_message_size" in wrong.text


@pytest.mark.long
async def test_the_missing_feature_flag_of_streams_is_named(company: str, *, rabbitmq_4: bool) -> None:
    if rabbitmq_4:
        pytest.skip("4.x cannot be without it")
    with node_with(rabbitmq_4=rabbitmq_4, RABBITMQ_FEATURE_FLAGS="quorum_queue,implicit_default_bindings") as node:
        wrong = await wrong_on(node, company)
    assert any("rabbitmqctl enable_feature_flag stream_queue" in text for text in wrong), wrong
