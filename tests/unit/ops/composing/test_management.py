"""Where the management API is looked for, with whose password, and what is said when it is not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ops.composing import management
from ops.composing.management import BrokerState, Policy, read_state
from runtime.settings import ConfigurationError, RabbitSettings, load_settings

ANSWERS: dict[str, Any] = {
    "/x/api/queues/books": [{"name": "relay.sales.dlq", "members": ["a", "b"]}, {"name": "relay.main.tokens"}],
    "/x/api/policies/books": [
        {"name": "p", "pattern": "^r", "apply-to": "all", "definition": {"expires": 9}, "priority": 1}
    ],
    "/x/api/operator-policies/books": [],
    "/x/api/bindings/books": [
        {"source": "", "destination": "q", "destination_type": "queue", "routing_key": "q"},
        {"source": "e", "destination": "f", "destination_type": "exchange", "routing_key": "#"},
        {"source": "e", "destination": "q", "destination_type": "queue", "routing_key": "#"},
    ],
    "/x/api/consumers/books": [
        {"queue": {"name": "q"}, "channel_details": []},
        {"queue": {"name": "q"}, "channel_details": {"user": "u", "peer_host": "10.0.0.1"}},
    ],
    "/x/api/nodes": [{"name": "a"}, {"name": "b"}],
}


def rabbit(**settings: object) -> RabbitSettings:
    usual = {"url": "amqp://relay:hush@broker/books", "management_url": "http://broker:15672/x/"}
    return RabbitSettings.model_validate(usual | settings)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[httpx2.Request], httpx2.Response]], None]:
    """Let a function answer in place of the API."""

    def serve(answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        client = httpx2.AsyncClient

        def served_client(**options: Any) -> httpx2.AsyncClient:  # noqa: ANN401 - any option of httpx2
            return client(**{**options, "transport": httpx2.MockTransport(answer)})

        monkeypatch.setattr(httpx2, "AsyncClient", served_client)

    return serve


Serve = Callable[[Callable[[httpx2.Request], httpx2.Response]], None]


async def test_all_is_read_from_the_virtual_host_of_the_broker_with_its_own_user(served: Serve) -> None:
    users = set()

    def answer(request: httpx2.Request) -> httpx2.Response:
        users.add(request.headers["Authorization"])
        if request.url.path == "/x/api/health/checks/alarms":
            return httpx2.Response(503, json={"alarms": [{"resource": "disk", "node": "a"}]})
        return httpx2.Response(200, json=ANSWERS[request.url.path])

    served(answer)
    state = await read_state(rabbit())
    policy = Policy("p", "^r", "all", {"expires": 9}, 1, by_operator=False)
    assert state == BrokerState(
        vhost="books",
        policies=(policy,),
        bindings=(management.Binding("e", "q", "#"),),
        consumptions=(management.Consumption("q", "somebody"), management.Consumption("q", "user u at 10.0.0.1")),
        alarms=("disk alarm on a",),
        nodes=2,
        members={"relay.sales.dlq": 2},
    )
    assert users == {httpx2.BasicAuth("relay", "hush")._auth_header}


async def test_a_user_in_the_address_is_used_in_place_of_the_brokers(served: Serve) -> None:
    seen: list[httpx2.Request] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(403)

    served(refuse)
    with pytest.raises(ConfigurationError, match="set_user_tags USER monitoring") as failure:
        await read_state(rabbit(management_url="https://viewer:p%40ss@broker"))
    assert seen[0].headers["Authorization"] == httpx2.BasicAuth("viewer", "p@ss")._auth_header
    assert "viewer" not in str(failure.value)
    assert "p%40ss" not in str(seen[0].url)


@pytest.mark.parametrize(
    "answer", [httpx2.Response(404), httpx2.Response(200, text="<html>"), httpx2.Response(503, json={})]
)
async def test_another_program_at_that_address_is_told(served: Serve, answer: httpx2.Response) -> None:
    served(lambda _: answer)
    with pytest.raises(ConfigurationError, match="is no answer of RabbitMQ's management API"):
        await read_state(rabbit())


def test_the_address_may_stand_in_a_file(tmp_path: Path) -> None:
    (named := tmp_path / "address").write_text("http://u:p@broker:15672\n")
    address = rabbit(management_url=None, management_url_file=named).management_address()
    assert address is not None
    assert address.get_secret_value() == "http://u:p@broker:15672"
    named.write_text("ftp://u:hush@broker")
    with pytest.raises(ConfigurationError, match=r"management_url_file: .*must be an address that starts with http"):
        rabbit(management_url=None, management_url_file=named).management_address()
    assert rabbit(management_url=None).management_address() is None


def test_an_address_of_another_kind_is_refused_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_RABBITMQ__MANAGEMENT_URL", "amqp://u:hush@broker")
    with pytest.raises(
        ConfigurationError, match=r"management_url: .*must be an address that starts with http://"
    ) as no:
        load_settings()
    assert "hush" not in str(no.value)


def test_the_address_does_not_belong_into_relay_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "relay.toml").write_text('[rabbitmq]\nmanagement_url = "http://u:p@broker"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"rabbitmq\.management_url is a secret.*management_url_file"):
        load_settings()
