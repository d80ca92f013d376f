"""Which settings of a broker would lose, hold up or misroute facts: from what it says to sentences. Pure.

A policy acts where a queue's own arguments are silent, and of two lengths, times or counts the smaller one holds.
Where an argument of ours wins anyway (overflow, dead-letter exchange and strategy), a policy is no matter.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from messaging.topology import (
    BASE_TYPES,
    CRASH_LOOP_LIMIT,
    DEAD_LETTER_LIMIT,
    EVENTS_EXCHANGE,
    HOME_EXCHANGE,
    UNROUTED,
    dead_letter_queues,
    mark_queue,
    mint_queue,
    retry_queue,
    stream_queue,
)
from messaging.watching import SLOWLY, WATCH_EVERY_SECONDS
from ops.composing.management import BrokerState, Policy

SAFE_MEMBERS = 3
LARGEST_MARK_BYTES = 1_000

LONGEST_IN_HAND_MS = 600_000
"""A delivery may be in a worker's hand for minutes where Solid is slow."""

USED_EVERY_MS = {"retry": WATCH_EVERY_SECONDS * 1000, "dead letters": WATCH_EVERY_SECONDS * SLOWLY * 1000}
"""The watch uses queues without a consumer this often, and an `expires` of three times that leaves them alone."""

DoesCount = Callable[["Queue", str, Mapping[str, Any]], bool]

QueueKind = Literal["stream", "retry", "dead letters", "mint", "mark"]
QUEUE_TYPES = {"stream": "quorum", "retry": "quorum", "dead letters": "quorum", "mint": "classic", "mark": "quorum"}


@dataclass(frozen=True, slots=True)
class Queue:
    """One of the relay's queues, as far as a policy can touch it."""

    name: str
    kind: QueueKind
    ttl_ms: float = float("inf")


@dataclass(frozen=True, slots=True)
class Relay:
    """What the relay has on the broker: its queues, and the bindings that belong to them."""

    queues: tuple[Queue, ...]
    bindings: frozenset[tuple[str, str, str]]
    """Exchange, queue, key."""


def relay_of(companies: Sequence[str], retry_delays: Iterable[float]) -> Relay:
    """All that `messaging/topology.py` declares for these companies."""
    streams = [(company, stream) for company in companies for stream in BASE_TYPES]
    retries = [(retry_queue(delay), delay) for delay in retry_delays]
    return Relay(
        queues=(
            *(Queue(stream_queue(company, stream), "stream") for company, stream in streams),
            *(Queue(name, "retry", ttl_ms=delay * 1000) for name, delay in retries),
            *(Queue(name, "dead letters") for name in dead_letter_queues()),
            *(Queue(mint_queue(company), "mint") for company in companies),
            *(Queue(mark_queue(company), "mark") for company in companies),
        ),
        bindings=frozenset(
            {
                (exchange, stream_queue(company, stream), f"{company}.{BASE_TYPES[stream]}")
                for exchange in (EVENTS_EXCHANGE, HOME_EXCHANGE)
                for company, stream in streams
            }
            | {(name, name, "") for name in (UNROUTED, *(name for name, _ in retries))}
        ),
    )


def problems_of(state: BrokerState, relay: Relay) -> list[str]:
    """A sentence for each thing that is unsafe, with what would happen and what to do."""
    return [
        *(
            f"{alarm}: while it is in force, nobody can publish. Free some, or raise the limit"
            for alarm in state.alarms
        ),
        *_policies(state, relay),
        *_bindings(state, relay),
        *_consumptions(state, relay),
    ]


def losses_of(state: BrokerState, relay: Relay) -> list[str]:
    """A sentence for each policy by which facts would be lost in silence while the relay runs: then it must not."""
    return list(_policies(state, relay, counts=_loses))


def _loses(queue: Queue, key: str, definition: Mapping[str, Any]) -> bool:
    match key:
        case "expires":
            return queue.kind in USED_EVERY_MS and definition[key] < 3 * USED_EVERY_MS[queue.kind]
        case "message-ttl":
            return queue.kind == "dead letters"
        case "max-length" | "max-length-bytes":
            return queue.kind == "dead letters" and definition.get("overflow", "drop-head") == "drop-head"
        case _:
            return key == "dead-letter-routing-key"


def notes_of(state: BrokerState, relay: Relay) -> list[str]:
    """A sentence for each thing that is not unsafe, but weaker than it could be."""
    if state.nodes < SAFE_MEMBERS:
        count = f"{state.nodes} node{'s' * (state.nodes > 1)}"
        return [f"{count}: the loss of one disk loses what waits, or of one node stops all. Three nodes survive one"]
    few = [queue.name for queue in relay.queues if state.members.get(queue.name, SAFE_MEMBERS) < SAFE_MEMBERS]
    if few:
        return [f"kept on fewer than {SAFE_MEMBERS} nodes: {', '.join(few)}. rabbitmq-queues grow NODE all"]
    return []


def _any(*_: object) -> bool:
    return True


def _policies(state: BrokerState, relay: Relay, *, counts: DoesCount = _any) -> Iterator[str]:
    harms: dict[tuple[Policy, str, str], list[str]] = {}
    for by_operator in (False, True):
        policies = [policy for policy in state.policies if policy.by_operator is by_operator]
        for queue in relay.queues:
            policy = in_force(policies, queue.name, ("all", "queues", f"{QUEUE_TYPES[queue.kind]}_queues"))
            for key, value in (policy.definition if policy else {}).items():
                harm = _harm(queue, key, value, policy.definition if policy else {})
                if policy and harm and counts(queue, key, policy.definition):
                    harms.setdefault((policy, key, harm), []).append(queue.name)
        policy = in_force(policies, EVENTS_EXCHANGE, ("all", "exchanges"))
        if policy and "alternate-exchange" in policy.definition and counts is _any:
            harm = "if a stream were missing, its events would be confirmed and never booked"
            harms[policy, "alternate-exchange", harm] = [EVENTS_EXCHANGE]
    for (policy, key, harm), names in harms.items():
        yield _sentence(policy, key, harm, names, state.vhost)


def in_force(policies: Sequence[Policy], name: str, kinds: Sequence[str]) -> Policy | None:
    """The policy that RabbitMQ puts in force for a queue or exchange: the matching one of highest priority.

    A pattern that Python cannot read counts as matching: better a word too many.
    """
    matching = [policy for policy in policies if policy.apply_to in kinds and _matches(policy.pattern, name)]
    return max(matching, key=lambda policy: policy.priority, default=None)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def _sentence(policy: Policy, key: str, harm: str, names: Sequence[str], vhost: str) -> str:
    kind = "operator policy" if policy.by_operator else "policy"
    clear = "clear_operator_policy" if policy.by_operator else "clear_policy"
    unit = " ms" if key in {"message-ttl", "expires", "consumer-timeout"} else ""
    return (
        f'{kind} "{policy.name}" gives {", ".join(names)} {"an" if key[0] in "aeiou" else "a"} {key} of '
        f"{policy.definition[key]}{unit}: {harm}. Let its pattern leave out relay.*, or remove it: "
        f"rabbitmqctl {clear} -p {vhost} {policy.name}"
    )


def _harm(queue: Queue, key: str, value: Any, definition: Mapping[str, Any]) -> str | None:  # noqa: ANN401 - of JSON
    """What a setting does to a queue; None when it does no harm."""
    harm: str | None = None
    match key:
        case "message-ttl":
            harm = _of_ttl(queue, value)
        case "expires":
            harm = f"left alone for {_time(value)}, the queue would be deleted with all that waits in it"
        case "max-length" | "max-length-bytes":
            harm = _of_length(queue, key, value, definition)
        case "delivery-limit":
            harm = _of_deliveries(queue, value)
        case "consumer-timeout" if queue.kind == "stream" and value <= LONGEST_IN_HAND_MS:
            harm = f"a worker may have an event in hand for {_time(LONGEST_IN_HAND_MS)}, and would be cut off sooner"
        case "dead-letter-routing-key" if queue.kind == "retry":
            harm = "retries would come back under a foreign key, and reach no stream or the wrong one"
        case _:
            pass
    return harm


def _of_ttl(queue: Queue, value: float) -> str | None:
    if value >= queue.ttl_ms or queue.kind == "mint":  # whoever says something to a mint says it again
        return None
    after = _time(value)
    return {
        "dead letters": f"dead letters would vanish after {after}",
        "stream": f"events would become dead letters after {after} of waiting, as in a night with Solid closed",
        "retry": f"retries would come back after {after}, and use up their attempts too soon",
        "mark": f"after {after} the broker would not know which store was last used, and take any",
    }[queue.kind]


def _of_length(queue: Queue, key: str, value: float, definition: Mapping[str, Any]) -> str | None:
    if queue.kind == "mark" and value >= (LARGEST_MARK_BYTES if key == "max-length-bytes" else 1):
        return None
    many = f"{value} bytes" if key == "max-length-bytes" else f"{value}"
    letters = "the oldest dead letters would be dropped"
    if definition.get("overflow", "drop-head") != "drop-head":
        letters = "no dead letter could be stored, and workers would stop,"
    return {
        "dead letters": f"{letters} once {many} wait",
        "stream": f"events would be refused once {many} wait: the receiver then answers 503",
        "retry": f"retries would be refused once {many} wait, and workers stop",
        "mint": f"what the mint is told would be dropped once {many} wait",
        "mark": "the broker would not know which store was last used, and take any",
    }[queue.kind]


def _of_deliveries(queue: Queue, value: float) -> str | None:
    if queue.kind == "stream" and 0 <= value < CRASH_LOOP_LIMIT:
        return f"events that are given back {value} times, as on a bad day, would become dead letters"
    if queue.kind == "dead letters" and 0 <= value < DEAD_LETTER_LIMIT:
        return f"a dead letter that `relay dead` takes {value} times without storing it would be dropped"
    return None


def _time(milliseconds: float) -> str:
    """A duration in the largest unit that keeps it above 1."""
    for size, unit in ((86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1000, "seconds")):
        if milliseconds >= size:
            count = f"{milliseconds / size:.1f}".removesuffix(".0")
            return f"{count} {unit.removesuffix('s') if count == '1' else unit}"
    return f"{milliseconds:g} ms"


def _bindings(state: BrokerState, relay: Relay) -> Iterator[str]:
    ours = {queue.name for queue in relay.queues}
    for binding in state.bindings:
        known = (binding.exchange, binding.queue, binding.key) in relay.bindings
        if binding.queue in ours and not known:
            yield (
                f'{binding.queue} is also bound to {binding.exchange} with "{binding.key}": messages that are not its '
                "own would reach it. Remove this binding (management page of the queue, Bindings, Unbind)"
            )


def _consumptions(state: BrokerState, relay: Relay) -> Iterator[str]:
    """Nobody consumes retries or dead letters: `relay dead` fetches, without a subscription."""
    untouched = {queue.name: queue.kind for queue in relay.queues if queue.kind in {"retry", "dead letters", "mark"}}
    for consumption in state.consumptions:
        kind = untouched.get(consumption.queue)
        if kind:
            what = {"retry": "retries", "mark": "marks of the store"}.get(kind, kind)
            yield (
                f"{consumption.queue} is consumed by {consumption.who}: {what} go there and are lost to the relay. "
                "Stop that consumer"
            )
