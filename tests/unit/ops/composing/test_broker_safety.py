"""From what a broker's management API says to sentences: which policy counts, and what it would do to which queue."""

from typing import Any

import pytest

from messaging.probing import Server
from messaging.topology import BASE_TYPES, STREAMS, dead_letter_queues, stream_queue
from ops.checks.broker import _of_address
from ops.composing.broker_safety import in_force, losses_of, notes_of, problems_of, relay_of
from ops.composing.management import Binding, BrokerState, Consumption, Policy, vhost_of
from runtime.settings import RabbitSettings, Settings

RELAY = relay_of(["main", "other"], [10, 60])


def policy(name: str = "p", **fields: Any) -> Policy:  # noqa: ANN401 - any field
    usual: dict[str, Any] = {"pattern": ".*", "apply_to": "all", "definition": {}, "priority": 0, "by_operator": False}
    return Policy(name=name, **(usual | fields))


def state(**fields: Any) -> BrokerState:  # noqa: ANN401 - any field
    usual: dict[str, Any] = {
        "vhost": "/",
        "policies": (),
        "bindings": tuple(Binding(*binding) for binding in RELAY.bindings),
        "consumptions": (),
        "alarms": (),
        "nodes": 3,
        "members": {},
    }
    return BrokerState(**(usual | fields))


def test_a_broker_without_policies_and_with_our_bindings_only_has_no_problem() -> None:
    assert problems_of(state(), RELAY) == []
    assert notes_of(state(), RELAY) == []


def test_a_sentence_says_which_policy_does_what_to_which_queue_and_how_to_end_it() -> None:
    ttl = policy("ttl-all", pattern=r"^relay\.sales\.", definition={"message-ttl": 3_600_000})
    [text] = problems_of(state(policies=(ttl,), vhost="books"), RELAY)
    assert text == (
        'policy "ttl-all" gives relay.sales.dlq a message-ttl of 3600000 ms: dead letters would vanish after 1 hour. '
        "Let its pattern leave out relay.*, or remove it: rabbitmqctl clear_policy -p books ttl-all"
    )


def test_queues_that_suffer_the_same_harm_share_a_sentence() -> None:
    [text] = problems_of(state(policies=(policy(pattern="dlq$|unrouted$", definition={"max-length": 9}),)), RELAY)
    assert f"gives {', '.join(dead_letter_queues())} a max-length of 9: the oldest dead letters would be" in text


def test_a_full_queue_of_dead_letters_that_refuses_more_stops_workers_instead() -> None:
    full = policy(pattern="raw.dlq", definition={"max-length": 9, "overflow": "reject-publish"})
    [text] = problems_of(state(policies=(full,)), RELAY)
    assert "no dead letter could be stored, and workers would stop, once 9 wait" in text


@pytest.mark.parametrize(
    ("queue", "definition"),
    [
        ("relay.retry.10s", {"message-ttl": 10_000}),
        ("relay.main.sales", {"delivery-limit": 100}),
        ("relay.main.sales", {"delivery-limit": -1}),
        ("relay.sales.dlq", {"delivery-limit": 1_000_000}),
        ("relay.main.sales", {"consumer-timeout": 1_800_000}),
        ("relay.main.mint", {"message-ttl": 1}),
    ],
)
def test_a_limit_that_is_not_below_our_own_does_no_harm(queue: str, definition: dict[str, int]) -> None:
    assert problems_of(state(policies=(policy(pattern=f"^{queue}$", definition=definition),)), RELAY) == []


@pytest.mark.parametrize(
    ("queue", "definition", "said"),
    [
        ("relay.retry.10s", {"message-ttl": 9999}, "retries would come back after 10 seconds"),
        ("relay.main.mint", {"max-length-bytes": 10}, "what the mint is told would be dropped once 10"),
        ("relay.main.sales", {"consumer-timeout": 600_000}, "a worker may have an event in hand for 10 minutes"),
        ("relay.main.sales", {"delivery-limit": 99}, "given back 99 times"),
        ("relay.other.payroll", {"expires": 5_400_000}, "left alone for 1.5 hours"),
    ],
)
def test_a_limit_below_our_own_is_told_with_what_it_does(queue: str, definition: dict[str, int], said: str) -> None:
    [text] = problems_of(state(policies=(policy(pattern=f"^{queue}$", definition=definition),)), RELAY)
    assert said in text


@pytest.mark.parametrize(
    ("queue", "definition", "loses"),
    [
        ("relay.retry.10s", {"expires": 14_999}, True),
        ("relay.retry.10s", {"expires": 15_000}, False),
        ("relay.sales.dlq", {"expires": 179_999}, True),
        ("relay.unrouted", {"expires": 180_000}, False),
        ("relay.sales.dlq", {"message-ttl": 86_400_000}, True),
        ("relay.unrouted", {"max-length": 1_000_000}, True),
        ("relay.sales.dlq", {"max-length": 10, "overflow": "reject-publish"}, False),
        ("relay.retry.10s", {"dead-letter-routing-key": "x"}, True),
        ("relay.retry.10s", {"max-length": 10}, False),
        ("relay.main.sales", {"message-ttl": 1000}, False),
    ],
)
def test_what_loses_facts_in_silence_stops_the_relay_and_what_only_holds_them_up_does_not(
    queue: str, definition: dict[str, Any], *, loses: bool
) -> None:
    found = state(policies=(policy(pattern=f"^{queue}$", definition=definition),))
    assert len(problems_of(found, RELAY)) == 1
    assert losses_of(found, RELAY) == (problems_of(found, RELAY) if loses else [])


def test_the_highest_priority_counts_among_those_that_match_name_and_kind() -> None:
    low, high = policy("low", priority=1), policy("high", priority=2)
    streams, elsewhere = policy("streams", apply_to="streams", priority=9), policy("no", pattern="^x", priority=9)
    assert in_force([low, high, streams, elsewhere], "relay.sales.dlq", ("all", "queues")) is high
    assert in_force([streams, elsewhere], "relay.sales.dlq", ("all", "queues")) is None


def test_a_policy_of_classic_queues_touches_the_mint_only() -> None:
    classic = policy(apply_to="classic_queues", definition={"expires": 1000})
    [text] = problems_of(state(policies=(classic,)), RELAY)
    assert "gives relay.main.mint, relay.other.mint an expires" in text


def test_a_pattern_that_python_cannot_read_counts_as_matching() -> None:
    assert in_force([odd := policy(pattern="(?|a)")], "relay.sales.dlq", ("all",)) is odd


def test_an_operator_policy_is_seen_beside_a_policy_and_removed_by_its_own_command() -> None:
    both = (policy(definition={"overflow": "x"}), policy("op", by_operator=True, definition={"expires": 1000}))
    [*_, text] = problems_of(state(policies=both), RELAY)
    assert text.startswith('operator policy "op" gives ')
    assert text.endswith("rabbitmqctl clear_operator_policy -p / op")


def test_an_alternate_exchange_of_our_exchange_is_named() -> None:
    hidden = policy("ae", pattern="^relay", apply_to="exchanges", definition={"alternate-exchange": "else"})
    [text] = problems_of(state(policies=(hidden,)), RELAY)
    assert 'policy "ae" gives relay.events an alternate-exchange of else: if a stream were missing' in text


@pytest.mark.parametrize("key", ["#", "other.sales.#", "main.contacts.#"])
def test_a_stream_is_bound_to_its_own_events_only(key: str) -> None:
    foreign = Binding("relay.events", "relay.main.sales", key)
    [text] = problems_of(state(bindings=(*state().bindings, foreign)), RELAY)
    assert text.startswith(f'relay.main.sales is also bound to relay.events with "{key}"')


def test_queues_of_others_may_be_bound_to_our_exchange() -> None:
    audit = Binding("relay.events", "audit", "*.sales.#")
    assert problems_of(state(bindings=(*state().bindings, audit)), RELAY) == []


def test_consumers_belong_to_streams_and_not_to_retries_or_dead_letters() -> None:
    seen = tuple(Consumption(name, "somebody") for name in ("relay.main.sales", "relay.retry.10s", "relay.sales.dlq"))
    retry, letter = problems_of(state(consumptions=seen), RELAY)
    assert retry.startswith("relay.retry.10s is consumed by somebody: retries go there")
    assert letter.startswith("relay.sales.dlq is consumed by somebody: dead letters go there")


def test_alarms_are_named() -> None:
    [text] = problems_of(state(alarms=("disk alarm on rabbit@a",)), RELAY)
    assert text.startswith("disk alarm on rabbit@a: while it is in force, nobody can publish")


def test_few_nodes_and_few_members_are_noted() -> None:
    [single] = notes_of(state(nodes=1), RELAY)
    assert single.startswith("1 node: ")
    [few] = notes_of(state(members={"relay.main.sales": 1, "relay.sales.dlq": 3}), RELAY)
    assert few.startswith("kept on fewer than 3 nodes: relay.main.sales.")


def test_every_queue_that_a_policy_can_endanger_is_looked_at() -> None:
    names = {queue.name for queue in RELAY.queues}
    assert {stream_queue(company, stream) for company in ("main", "other") for stream in STREAMS} <= names
    assert names >= {*dead_letter_queues(), "relay.retry.10s", "relay.retry.60s", "relay.main.mint"}
    assert ("relay.events", "relay.other.sales", f"other.{BASE_TYPES['sales']}") in RELAY.bindings


@pytest.mark.parametrize(
    ("url", "vhost"), [("amqp://h", "/"), ("amqp://h/", "/"), ("amqp://h/%2F", "/"), ("amqp://h/books", "books")]
)
def test_the_virtual_host_is_the_path_of_the_address(url: str, vhost: str) -> None:
    assert vhost_of(url) == vhost


@pytest.mark.parametrize(
    ("product", "version", "said"),
    [
        ("RabbitMQ", "3.10.8", None),
        ("RabbitMQ", "4.0.5", None),
        ("RabbitMQ", "3.9.13", "RabbitMQ 3.9.13 is too old"),
        ("LavinMQ", "2.0", "this is LavinMQ 2.0, not RabbitMQ"),
    ],
)
def test_a_broker_that_is_too_old_or_another_is_told(product: str, version: str, said: str | None) -> None:
    problem = Server(product, version).problem()
    assert (problem or "").startswith(said or "")
    assert (problem is None) is (said is None)


@pytest.mark.parametrize(
    ("url", "noted"),
    [
        ("amqp://guest:guest@127.0.0.1/", []),
        ("amqp://guest:guest@localhost/", []),
        ("amqps://relay:x@broker/", []),
        ("amqp://relay:hush@broker/", ["amqp:// to broker: password and facts travel in plain text. Use amqps://."]),
    ],
)
def test_plain_text_to_another_machine_is_noted(url: str, noted: list[str]) -> None:
    settings = Settings(rabbitmq=RabbitSettings.model_validate({"url": url}))
    assert _of_address(settings) == noted


def test_the_default_password_on_another_machine_is_noted() -> None:
    [text] = _of_address(Settings(rabbitmq=RabbitSettings.model_validate({"url": "amqp://guest:guest@broker/"})))
    assert "The password is RabbitMQ's well-known default" in text
