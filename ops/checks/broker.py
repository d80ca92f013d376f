"""The part of `relay check` that looks at the broker: what it does over AMQP, and what its management API tells.

Touches no message of the relay. What would be unsafe is decided in `ops/composing/broker_safety.py`.
"""

import ipaddress
from urllib.parse import urlsplit

from messaging.probing import Server, probe, server_of
from messaging.topology import declare_bucket
from ops.checks.findings import Checklist
from ops.composing.broker_safety import notes_of, problems_of, relay_of
from ops.composing.management import read_state
from ops.composing.workers import open_link, open_publisher
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings

BROKER, SETTINGS = "broker", "broker settings"
UNSEEN = (
    "policies, bindings and consumers were not seen: set rabbitmq.management_url (plugin rabbitmq_management), or look "
    "with `rabbitmqctl list_policies` and `rabbitmqctl list_operator_policies` for what touches relay.*"
)


async def check_broker(checklist: Checklist, settings: Settings, clock: Clock) -> bool:
    """Put down what is found; False when the broker cannot do what the relay needs."""
    works = await checklist.look(BROKER, _declares(settings, clock))
    if works:
        problems = await _probed(settings)
        checklist.wrong(BROKER, *problems)
        checklist.note(BROKER, *_of_address(settings))
        works = not problems
    rabbit = settings.rabbitmq
    if rabbit.management_url is None and rabbit.management_url_file is None:
        checklist.note(SETTINGS, UNSEEN)
    else:
        await checklist.look(SETTINGS, _settings(checklist, settings))
    return works


async def _declares(settings: Settings, clock: Clock) -> str:
    """Every queue is there with our arguments, for another one would be refused."""
    async with open_publisher(settings, clock, "check") as publisher, open_link(settings, "check") as link:
        await publisher.ready()
        await declare_bucket(await link.channel(), settings.company)
        server: Server = await server_of(link)
    problem = server.problem()
    if problem:
        raise ConfigurationError(problem)
    return f"{server.product} {server.version} is reachable; every queue has the arguments that keep facts safe"


async def _probed(settings: Settings) -> list[str]:
    async with open_link(settings, "check probing") as link:
        return await probe(
            link,
            company=settings.company,
            largest_bytes=settings.receiver.max_body_bytes,
            within_seconds=settings.rabbitmq.publish_timeout_seconds,
        )


def _of_address(settings: Settings) -> list[str]:
    address = urlsplit(settings.rabbitmq.address().get_secret_value())
    if address.scheme != "amqp" or _is_this_machine(address.hostname or "127.0.0.1"):
        return []
    guest = " The password is RabbitMQ's well-known default: make a user of the relay's own." * (
        address.password in {None, "guest"}
    )
    return [f"amqp:// to {address.hostname}: password and facts travel in plain text. Use amqps://.{guest}"]


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _settings(checklist: Checklist, settings: Settings) -> str:
    state = await read_state(settings.rabbitmq)
    relay = relay_of(settings.fed, settings.rabbitmq.retry_delays_seconds)
    checklist.wrong(SETTINGS, *problems_of(state, relay))
    checklist.note(SETTINGS, *notes_of(state, relay))
    counts = f"policies ({len(state.policies)}), bindings ({len(state.bindings)}), nodes ({state.nodes})"
    return f"looked at {counts}, alarms and consumers"
