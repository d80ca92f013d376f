"""Reads RabbitMQ's management API: policies, alarms, bindings, consumers, members. Judges nothing and changes nothing.

The API belongs to the plugin rabbitmq_management; a user needs the tag `monitoring` for all that is read here.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx2

from runtime.calling import new_client
from runtime.settings import ConfigurationError, RabbitSettings
from runtime.tls import distrust, trusting
from runtime.tracebacks import words_of

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What an administrator wants of all queues or exchanges of some name; the one of highest priority is in force."""

    name: str
    pattern: str
    apply_to: str
    definition: Mapping[str, Any] = field(hash=False)
    priority: int
    by_operator: bool


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange (never the default one) to a queue."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Consumption:
    """Somebody who consumes a queue."""

    queue: str
    who: str


@dataclass(frozen=True, slots=True)
class BrokerState:
    """All that is read, in one."""

    vhost: str
    policies: tuple[Policy, ...]
    bindings: tuple[Binding, ...]
    consumptions: tuple[Consumption, ...]
    alarms: tuple[str, ...]
    nodes: int
    members: Mapping[str, int]
    """Quorum queue -> on how many nodes it is kept."""


async def read_state(rabbit: RabbitSettings) -> BrokerState:
    """Ask for everything.

    Raises:
        ConfigurationError: `rabbitmq.management_url` does not answer, refuses the user, or is no management API.
    """
    vhost = vhost_of(rabbit.address().get_secret_value())
    inside = quote(vhost, safe="")
    async with _client(rabbit) as client:
        queues = await _get(client, f"queues/{inside}?columns=name,members")
        return BrokerState(
            vhost=vhost,
            policies=(
                *(_policy(row, by_operator=False) for row in await _get(client, f"policies/{inside}")),
                *(_policy(row, by_operator=True) for row in await _get(client, f"operator-policies/{inside}")),
            ),
            bindings=tuple(_bindings(await _get(client, f"bindings/{inside}"))),
            consumptions=tuple(_consumption(row) for row in await _get(client, f"consumers/{inside}")),
            alarms=tuple(_alarms(await _get(client, "health/checks/alarms"))),
            nodes=len(await _get(client, "nodes?columns=name")),
            members={row["name"]: len(row["members"]) for row in queues if "members" in row},
        )


def vhost_of(url: str) -> str:
    """The virtual host of an AMQP URL."""
    return unquote(urlsplit(url).path[1:]) or "/"


@asynccontextmanager
async def _client(rabbit: RabbitSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the user of the management address, or with the broker's where it names none."""
    address = rabbit.management_address()
    named = urlsplit(address.get_secret_value() if address else "")
    user = named if named.username else urlsplit(rabbit.address().get_secret_value())
    base = named._replace(netloc=named.netloc.rpartition("@")[2], path=f"{named.path.rstrip('/')}/api/").geturl()
    auth = httpx2.BasicAuth(unquote(user.username or "guest"), unquote(user.password or "guest"))
    trust = None if rabbit.ca_file is None else trusting("rabbitmq.ca_file", rabbit.ca_file)
    async with new_client(base_url=base, auth=auth, timeout=TIMEOUT_SECONDS, trust=trust) as client:
        yield client


async def _get(client: httpx2.AsyncClient, path: str) -> Any:  # noqa: ANN401 - JSON of another program
    shown = f"rabbitmq.management_url: {client.base_url}{path.partition('?')[0]}"
    try:
        answer = await client.get(path)
    except httpx2.HTTPError as error:
        msg = f"{shown}: {words_of(error)}. Is the plugin rabbitmq_management on, and the port right?"
        if (why := distrust(error)) is not None:
            msg = f"{shown}: its certificate is not accepted: {why}. Name its authority's with rabbitmq.ca_file."
        raise ConfigurationError(msg) from error
    if answer.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        msg = f"{shown} refuses the user: give it the tag: rabbitmqctl set_user_tags USER monitoring"
        raise ConfigurationError(msg)
    is_alarm = path.startswith("health/") and answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE
    try:
        if not is_alarm:
            answer.raise_for_status()
        return answer.json()
    except (httpx2.HTTPStatusError, ValueError) as error:
        msg = f"{shown} answers {answer.status_code}, which is no answer of RabbitMQ's management API."
        raise ConfigurationError(msg) from error


def _policy(row: Mapping[str, Any], *, by_operator: bool) -> Policy:
    return Policy(
        name=row["name"],
        pattern=row["pattern"],
        apply_to=row["apply-to"],
        definition=row["definition"],
        priority=row["priority"],
        by_operator=by_operator,
    )


def _bindings(rows: list[dict[str, Any]]) -> list[Binding]:
    return [
        Binding(exchange=row["source"], queue=row["destination"], key=row["routing_key"])
        for row in rows
        if row["source"] and row["destination_type"] == "queue"
    ]


def _consumption(row: Mapping[str, Any]) -> Consumption:
    """The channel's details are an empty list until the API has gathered them, some five seconds later."""
    channel = row["channel_details"]
    who = f"user {channel['user']} at {channel['peer_host']}" if channel else "somebody"
    return Consumption(queue=row["queue"]["name"], who=who)


def _alarms(answer: Mapping[str, Any]) -> list[str]:
    return [f"{alarm['resource']} alarm on {alarm['node']}" for alarm in answer.get("alarms", [])]
