"""A webhook by configuration alone: Square's counts of stock, as the documents say, through the real receiver."""

import base64
import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from messaging.topology import RAW_DLQ
from ops.checks.findings import Checklist
from ops.checks.webhooks import check_webhooks
from ops.composing.webhooks import hook_of, webhooks_of, webhooks_wanted
from ops.desk.origins import origin_of
from ops.standing.stopped import stopped
from producers.feeds.reading import normalise_document
from producers.source import Signature
from producers.sources import SOURCES
from producers.webhooks.intake import Hook
from producers.webhooks.measures import Measures
from producers.webhooks.receiver import create_app
from runtime.clock import SystemClock
from runtime.secret_files import fingerprint
from runtime.settings import ConfigurationError, Settings, load_settings
from store.dead_letters import StoredLetter
from tests.fakes import NOON, FakeClock
from tests.unit.producers.receiving import FakePublisher
from tests.unit.producers.webhooks.recipes import RECIPES, recipe

KEY = "made-up-signature-key"
URL = "https://hooks.example.com/webhooks/square"
COUNTS, _page, OPTIONS = recipe("Square: counts")
SQUARE: dict[str, Any] = {
    "source": "warehouse-json",
    "options": OPTIONS,
    "secrets": [KEY],
    "url": URL,
    "currency": "USD",
    "signature": {"header": "x-square-hmacsha256-signature", "signs": "{url}{body}", "encoding": "base64"},
}


def settings(**changes: object) -> Settings:
    table = {name: value for name, value in (SQUARE | changes).items() if value is not None}
    return Settings.model_validate({"webhooks": {"square": table}})


def signed(body: bytes, *, url: str = URL, key: str = KEY) -> dict[str, str]:
    digest = hmac.new(key.encode(), url.encode() + body, hashlib.sha256).digest()
    return {"X-Square-HmacSha256-Signature": base64.b64encode(digest).decode()}


async def post(
    said: Settings, publisher: FakePublisher, headers: dict[str, str], body: bytes = COUNTS
) -> httpx2.Response:
    app = create_app(
        publisher=publisher,
        clock=FakeClock(),
        hooks=webhooks_of(said),
        max_body_bytes=100_000,
        retry_after_seconds=30,
        measures=Measures(),
    )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://inside") as client:
        return await client.post("/webhooks/square", content=body, headers=headers)


@pytest.fixture
def _as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the table of the page, the options of the recipe, and the secret where the table says."""
    monkeypatch.chdir(tmp_path)
    [options] = re.findall(r"^## Square: counts\n.*?^```toml\n(.*?)^```", RECIPES.read_text(), re.MULTILINE | re.DOTALL)
    Path("relay.toml").write_text(TABLE)
    Path("square-counts.toml").write_text(options)
    Path("books.toml").write_text((ROOT / "demo" / "books.toml").read_text())
    Path("secrets").mkdir()
    Path("secrets", "square").write_text(f"{KEY}\n")


ROOT = RECIPES.parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
[TABLE] = re.findall(r"^```toml\n(\[webhooks\.square\].*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.usefixtures("_as_documented")
async def test_a_signed_body_of_square_becomes_an_event_as_the_documents_say() -> None:
    publisher = FakePublisher()
    answer = await post(load_settings(), publisher, signed(COUNTS))
    assert (answer.status_code, answer.json()) == (200, {"outcome": "published"})
    [event] = publisher.events
    assert (event.type, event.company, event.subject) == ("inventory.stock.counted.v1", "main", "SKU-1")
    assert event.data.fact.startswith("square/json:count:SKU-1:L1:")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(COUNTS, key="another-signature-key"),
        signed(COUNTS + b" "),
        signed(COUNTS, url="http://inside/webhooks/square"),
        {**signed(COUNTS, url="https://evil.example/webhooks/square"), "Host": "evil.example"},
    ],
)
async def test_the_address_that_is_signed_is_the_setting_and_never_what_the_request_says(
    headers: dict[str, str],
) -> None:
    publisher = FakePublisher()
    assert (await post(settings(), publisher, headers)).status_code == 401
    assert (publisher.events, publisher.kept) == ([], [])


async def test_during_a_rotation_both_secrets_are_good() -> None:
    said = settings(secrets=["the-signature-key-after", KEY])
    assert (await post(said, FakePublisher(), signed(COUNTS))).status_code == 200


def loaded(written: str) -> Settings:
    Path("relay.toml").write_text(written)
    return load_settings()


def letter(body: bytes, source: str = "/webhooks/square", reason: str = "bad_number") -> StoredLetter:
    said: dict[str, Any] = dict.fromkeys(StoredLetter.__dataclass_fields__)
    said |= {"id": "1", "queue": RAW_DLQ, "reason": reason, "event_source": source, "body": body, "stored_at": NOON}
    return StoredLetter(**said)


async def test_what_cannot_be_read_is_kept_whole_and_replayed_by_the_source_that_is_set() -> None:
    publisher, bad = FakePublisher(), COUNTS.replace(b'"quantity": "10"', b'"quantity": "ten"')
    answer = await post(settings(), publisher, signed(bad), bad)
    assert (answer.json(), publisher.events) == ({"outcome": "kept"}, [])
    [kept] = publisher.kept
    assert (kept["source"], kept["company"], kept["body"]) == ("/webhooks/square", "main", bad)
    origin = origin_of(letter(COUNTS), settings())
    assert origin.source == "warehouse-json"
    again = normalise_document(origin.source, COUNTS, origin.context).events
    await post(settings(), publisher, signed(COUNTS))
    assert list(again) == publisher.events, "the same facts, whichever way they come"


def test_a_letter_of_a_webhook_that_is_gone_says_so() -> None:
    with pytest.raises(ConfigurationError, match=r"not in \[webhooks\] any more"):
        origin_of(letter(COUNTS, "/webhooks/gone"), settings())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "squrae"}, "webhooks.square.source: no source is called 'squrae'"),
        ({"signature": None}, "webhooks.square.signature is missing"),
        ({"signature": {"header": "x", "sings": "{body}"}}, "webhooks.square.signature.sings: Extra inputs"),
        ({"signature": {"header": "x", "signs": "{url}"}}, "webhooks.square.signature.signs: must hold {body}"),
        ({"signature": {"header": "x", "signs": "{body}{id}"}}, "must hold {body}, and may hold {url}"),
        ({"signature": {"header": "x", "timestamp": "t"}}, "a time that is not signed proves nothing"),
        ({"signature": {"header": "x", "algorithm": "md5"}}, "webhooks.square.signature.algorithm: "),
        ({"url": None}, "webhooks.square.url is missing: the address is signed too"),
        ({"secrets": None}, "no signing secret for the webhook square"),
        ({"secrets": ["short"]}, "RELAY_WEBHOOKS__SQUARE__SECRETS: secret 1 is not"),
        ({"secrets_file": "nowhere"}, "webhooks.square.secrets_file: nowhere: No such file"),
        ({"shops": {"x": "main"}}, "webhooks.square.shops: it means nothing to the source warehouse-json"),
        ({"options": {"colums": {}}}, "webhooks.square.options.colums: there is no such option"),
        ({"options_file": "nowhere.toml"}, "webhooks.square.options_file: nowhere.toml"),
        ({"currency": None}, "webhooks.square.currency is not set, and the books cannot tell"),
    ],
)
async def test_one_that_cannot_be_used_is_told_and_its_sender_comes_again(
    changes: dict[str, object], message: str
) -> None:
    said = settings(**changes)
    with pytest.raises(ConfigurationError) as refused:
        hook_of("square", said)
    assert message in str(refused.value)
    assert (await post(said, FakePublisher(), signed(COUNTS))).status_code == 503
    assert message in (await stopped(said, SystemClock()))["webhook square"]
    checklist = Checklist()
    await check_webhooks(checklist, said)
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [("webhooks.square", False)]


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.people])
async def test_a_source_of_people_is_no_webhook(name: str) -> None:
    said = settings(source=name)
    with pytest.raises(ConfigurationError, match=f"webhooks.square.source: {name} names people"):
        hook_of("square", said)
    with pytest.raises(ConfigurationError, match="names people"):
        origin_of(letter(b"{}"), said)
    assert (await post(said, FakePublisher(), signed(b"{}"), b"{}")).status_code == 503


async def test_the_check_says_which_secret_is_in_use_and_where_the_sender_calls() -> None:
    checklist = Checklist()
    await check_webhooks(checklist, settings())
    [finding] = checklist.findings
    assert finding.text == f"1 signing secret, fingerprint {fingerprint(KEY)}; called at {URL}"


async def test_the_check_says_what_options_of_before_are_called_now() -> None:
    checklist = Checklist()
    await check_webhooks(checklist, settings(options={**OPTIONS, "currency_sign": "$"}))
    usable, note = checklist.findings
    assert (usable.ok, note.what, note.note) == (True, "webhooks.square", True)
    assert note.text == "currency_sign is called signs now; both work"


async def test_the_check_shows_no_secret_of_the_address() -> None:
    checklist = Checklist()
    await check_webhooks(checklist, settings(url=URL.replace("//", "//me:hidden@") + "?token=hidden#hidden"))
    [finding] = checklist.findings
    assert finding.text.endswith(f"; called at {URL}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('[webhooks.square]\nsource = "x12"\nsecrets = ["hidden-hidden"]\n', "webhooks.square.secrets is a secret"),
        ('[webhooks.square]\nsource = "x12"\nsecret_file = "x"\n', "webhooks.square.secret_file: Extra inputs"),
        ('[webhooks.square]\nsource = "x12"\nurl = "hooks.example"\n', "webhooks.square.url: must be an address"),
    ],
)
@pytest.mark.usefixtures("_as_documented")
async def test_a_wrong_table_stops_that_webhook_alone(written: str, message: str) -> None:
    said = loaded(written)
    assert message in said.wrong_webhooks["square"]
    assert "hidden-hidden" not in said.wrong_webhooks["square"]
    assert webhooks_wanted(said)
    assert (await post(said, FakePublisher(), signed(COUNTS))).status_code == 503
    assert message in (await stopped(said, SystemClock()))["webhook square"]
    with pytest.raises(ConfigurationError, match="webhooks"):
        origin_of(letter(COUNTS), said)


@pytest.mark.usefixtures("_as_documented")
def test_a_short_table_is_of_its_source() -> None:
    with pytest.raises(ConfigurationError, match="it is stripe"):
        loaded('[stripe]\nsource = "x12"\n')


@pytest.mark.parametrize("written", ['source = "stripe"', "", 'secret_file = "x"'])
@pytest.mark.usefixtures("_as_documented")
async def test_a_short_table_by_its_long_name_stands_still_by_itself(written: str) -> None:
    said = loaded(f"{TABLE}\n[webhooks.stripe]\n{written}\n")
    assert "webhooks.stripe: this table is called [stripe]" in said.wrong_webhooks["stripe"]
    assert (await post(said, FakePublisher(), signed(COUNTS))).status_code == 200
    assert "called [stripe]" in (await stopped(said, SystemClock()))["webhook stripe"]
    assert [hook.name for hook in webhooks_of(said)] == ["square", "stripe"]


@pytest.mark.usefixtures("_as_documented")
async def test_beside_a_wrong_table_of_its_name_the_short_one_is_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_STRIPE__SECRETS", '["whsec_0123456789abcdef"]')
    said = loaded('[webhooks.stripe]\nsource = "stripe"\n')
    [hook] = webhooks_of(said)
    assert (hook.path, type(hook)) == ("/webhooks/stripe", Hook)
    checklist = Checklist()
    await check_webhooks(checklist, said)
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [
        ("stripe", True),
        ("webhooks.stripe", False),
    ]
    assert origin_of(letter(b"{}", "/webhooks/stripe"), said).source == "stripe"


@pytest.mark.usefixtures("_as_documented")
def test_a_second_account_of_a_known_source_needs_its_secrets_only(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("relay.toml").write_text('[webhooks.eu]\nsource = "stripe"\naccounts = { acct_1 = "main" }\n')
    monkeypatch.setenv("RELAY_WEBHOOKS__EU__SECRETS", '["whsec_0123456789abcdef"]')
    hook = hook_of("eu", load_settings())
    assert (hook.path, hook.signature) == ("/webhooks/eu", Signature.model_validate(STRIPE))
    assert hook.context.accounts == {"acct_1": "main"}
    assert "eu" in load_settings().received


STRIPE = {"header": "Stripe-Signature", "field": "v1", "timestamp": "t", "signs": "{timestamp}.{body}", "exact": True}


def test_events_of_the_company_of_a_webhook_are_taken() -> None:
    assert settings(company="south").fed == ("main", "south")
    served = {"north": {"solid": {"api_key_file": "key"}}}
    said = Settings.model_validate(
        {"company": "north", "companies": served, "webhooks": {"square": SQUARE | {"company": "south"}}}
    )
    assert "[companies.south] is missing" in said.wrong_webhooks["square"]
    assert said.fed == ("north",)


def of_two(**table: object) -> Settings:
    """The settings of two companies, with a webhook in this table."""
    key = {"solid": {"api_key_file": "key"}}
    companies, stripe = {"north": key, "south": key}, {"secrets": ["whsec_0123456789abcdef"]}
    return Settings.model_validate(
        {"company": "north", "companies": companies, "stripe": stripe, "webhooks": {"own": table}}
    )


def test_of_several_companies_a_webhook_says_whose_books() -> None:
    said = of_two(**SQUARE)
    assert said.wrong_webhooks["own"] == "webhooks.own.company is missing: say whose books, one of north, south"
    assert list(said.received) == ["stripe"], "a short table without company is that of the main one"
    assert said.webhooks == {}


@pytest.mark.parametrize(
    "table",
    [
        SQUARE | {"company": "south"},
        {"source": "stripe", "accounts": {"acct_1": "south"}},
        {"source": "shopify", "shops": {"a.myshopify.com": "south"}},
    ],
)
def test_a_webhook_that_says_whose_each_body_is_needs_no_company(table: dict[str, Any]) -> None:
    said = of_two(**table)
    assert (list(said.webhooks), said.wrong_webhooks) == (["own"], {})
