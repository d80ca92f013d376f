"""The part of `relay check` that asks what strangers and other users of this machine could read, change or reach.

It looks at addresses, permissions and limits, and calls nobody.
"""

import os
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, SecretStr
from sqlalchemy.engine import URL, make_url

from ops.checks.findings import Checklist
from ops.http.serving import FILES_OF_OURS, open_files
from producers.feeds.places import parents_of_others, writable_by_others
from runtime.sections_feeds import PollingFeed
from runtime.sections_webhooks import table_of
from runtime.settings import ConfigurationError, Settings

_NO_SECRETS: Final = {"ca_file", "options_file", "books"}
"""Files that others may read, and not change: whom the relay trusts, what it takes an item or an account for."""
_PLAIN: Final = {"http", "amqp"}


def check_exposure(checklist: Checklist, settings: Settings) -> None:
    """What is wrong, a finding each; or one that nothing is."""
    problems = [*_plain(settings), *_unproved(settings), *_reachable(settings), *_files(settings)]
    checklist.wrong("exposure", *problems)
    if not problems:
        checklist.right(
            "exposure", "nothing goes in plain text to another host, and no other user reads or changes a file"
        )
    checklist.note("exposure", *_notes(settings))


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    try:
        return host is None or host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def named_files(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Every file that the settings name, with the setting's name."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path) and (name.endswith("_file") or name == "books"):
            yield prefix + name, value
        for inner, part in value.items() if isinstance(value, dict) else (("", value),):
            if isinstance(part, BaseModel):
                yield from named_files(part, f"{prefix}{name}.{inner}{'.' if inner else ''}")


def secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Those of them that hold secrets."""
    for setting, path in named_files(settings):
        if setting.rpartition(".")[2] not in _NO_SECRETS:
            yield setting, path


def _addresses(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Every address that is called, with the setting that says it."""
    yield "rabbitmq.url", _told(settings.rabbitmq.address)
    yield "rabbitmq.management_url", _told(settings.rabbitmq.management_address)
    yield "solid.base_url", settings.solid.base_url
    for name, own in settings.companies.items():
        yield f"companies.{name}.solid.base_url", own.solid.base_url
    for name, webhook in settings.all_webhooks.items():
        yield f"{table_of(name)}.api_base_url", webhook.api_base_url
    for name, feed in settings.feeds.items():
        if isinstance(feed, PollingFeed):
            yield f"feeds.{name}.url", feed.url
    for name, account in settings.payroll.items():
        yield f"payroll.{name}.base_url", account.base_url
        if urlsplit(account.token_url or "").hostname != urlsplit(account.base_url or "").hostname:
            yield f"payroll.{name}.token_url", account.token_url


def _told(address: Any) -> str | None:  # noqa: ANN401 - a method of the settings
    """An address that may stand in a file; one that cannot be read is another finding's affair."""
    try:
        found: SecretStr | None = address()
    except ConfigurationError:
        return None
    return None if found is None else found.get_secret_value()


def _plain(settings: Settings) -> Iterator[str]:
    for setting, address in _addresses(settings):
        parts = urlsplit(address or "")
        host = parts.hostname
        if parts.scheme in _PLAIN and not is_loopback(host) and host not in settings.plain_hosts:
            msg = (
                f"{setting}: {parts.scheme} to {host}: whoever is on the way reads and changes what passes, secrets too"
            )
            yield f"{msg}. Use {parts.scheme}s, or name {host} in plain_hosts if the network between is yours alone."
    parts = urlsplit(_told(settings.rabbitmq.address) or "")
    if (parts.username or "guest") == "guest" and not is_loopback(parts.hostname):
        yield "rabbitmq.url: the user guest, whom everybody knows, on another host: make a user of the relay's own."


def _unproved(settings: Settings) -> Iterator[str]:
    """Servers elsewhere that need not prove who they are: a stranger on the way gets the password, and all else."""
    url, store = make_url(settings.store.url.get_secret_value()), settings.store
    mode = store.ssl_mode or os.environ.get("PGSSLMODE", "prefer")
    for host in _hosts_of(url) if url.get_backend_name() == "postgresql" and mode != "verify-full" else ():
        if not (is_loopback(host) or host in settings.plain_hosts):
            yield (
                f"store.url: PostgreSQL on {host} with sslmode {mode}: whoever is on the way can pass for it, and get "
                "the password and all rows. Put ?sslmode=verify-full into store.url (with store.ca_file for a private "
                f"authority), or name {host} in plain_hosts if the network between is yours alone."
            )
    broker = urlsplit(_told(settings.rabbitmq.address) or "")
    if parse_qs(broker.query).get("no_verify_ssl", ["0"])[-1] != "0" and not is_loopback(broker.hostname):
        msg = f"rabbitmq.url: no_verify_ssl: whoever is on the way can pass for {broker.hostname}"
        yield f"{msg}. Take it out, and name a private authority's certificate with rabbitmq.ca_file."


def _hosts_of(url: URL) -> list[str]:
    """Where a PostgreSQL may be, without sockets of this machine; one URL can name several hosts."""
    said = url.query.get("host", ())
    named = [url.host] if url.host else [said] if isinstance(said, str) else [*said]
    hosts = [
        host.rpartition(":")[0] if host.count(":") == 1 else host for host in named or [os.environ.get("PGHOST", "")]
    ]
    return [host for host in hosts if host and not host.startswith("/")]


def _reachable(settings: Settings) -> Iterator[str]:
    receiver = settings.receiver
    behind_a_proxy = any(not network.is_loopback for network in receiver.proxies)
    if not is_loopback(receiver.host) and not behind_a_proxy:
        msg = f"receiver.host: {receiver.host} is reached without TLS by whoever reaches this machine"
        yield f"{msg}: listen on 127.0.0.1 behind a proxy that ends TLS, or say in receiver.proxies where the proxy is."


def _files(settings: Settings) -> Iterator[str]:
    for setting, path in secret_files(settings):
        yield from _kept_secret(setting, path)
    url = make_url(settings.store.url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        database = Path(url.database)
        for each in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
            if each.exists():
                yield from _kept_secret("store.url", each)
    config = ("relay.toml", Path(os.environ.get("RELAY_CONFIG", "relay.toml")))
    public = {path: setting for setting, path in (config, *named_files(settings))}
    for _, path in secret_files(settings):
        public.pop(path, None)
    for path, setting in public.items():
        yield from _changeable(setting, path)


def _kept_secret(setting: str, path: Path) -> Iterator[str]:
    try:
        status = path.stat()
    except OSError:
        return  # what cannot be read is told where it is needed
    if status.st_uid not in (0, os.geteuid()):
        yield f"{setting}: {path} belongs to user {status.st_uid}: chown it to the user the relay runs as"
    if status.st_mode & 0o177:
        yield f"{setting}: {path} has mode {stat.S_IMODE(status.st_mode):04o}, so that others read it: chmod 600 {path}"
    yield from _replaceable(setting, path)


def _changeable(setting: str, path: Path) -> Iterator[str]:
    try:
        who = writable_by_others(path)
    except OSError:
        return
    if who is not None:
        yield f"{setting}: {path} may be changed by {who}: chmod go-w {path}"
    yield from _replaceable(setting, path)


def _replaceable(setting: str, path: Path) -> Iterator[str]:
    """Each folder above, of a link's target too, in which others can put another file or folder in its place."""
    for folder in dict.fromkeys((*parents_of_others(path), *parents_of_others(path.resolve()))):
        yield f"{setting}: {path} can be replaced by whoever may write {folder}: chmod go-w that folder"


def _notes(settings: Settings) -> Iterator[str]:
    parts = urlsplit(_told(settings.rabbitmq.address) or "")
    if (parts.username or "guest") == "guest" and is_loopback(parts.hostname):
        yield "rabbitmq.url: guest: every user of this machine can read and write the queues."
    if settings.metrics.port and not is_loopback(settings.metrics.host):
        yield f"metrics.host: whoever reaches {settings.metrics.host} reads the figures and the companies' names."
    files, wanted = open_files(), settings.receiver.max_connections + FILES_OF_OURS
    if files < wanted:
        msg = f"this process may open {files} files, and receiver.max_connections needs {wanted}"
        yield f"{msg}: fewer connections are let in; raise the limit (ulimit -n, LimitNOFILE=)."
