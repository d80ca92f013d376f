"""Settings of feeds and Shopify: two kinds of feeds, whose they are, no secret in the file, and the page about them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from runtime.sections_feeds import FolderFeed, PageSettings, PollingFeed
from runtime.settings import ConfigurationError, load_settings
from tests.unit.test_docs import shown

ROOT = Path(__file__).parents[3]
FOLDER = '[feeds.north]\nsource = "warehouse-csv"\nfolder = "in"\n'
POLLED = '[feeds.shop]\nsource = "shopify"\nurl = "https://x.myshopify.com/levels.json"\n'
TWO = """company = "one"
[companies.one]
solid = { api_key_file = "1" }
[companies.two]
solid = { api_key_file = "2" }
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RABBITMQ_URL", "RELAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_a_feed_with_a_url_is_polled_and_any_other_is_a_folder() -> None:
    Path("relay.toml").write_text(FOLDER + POLLED)
    feeds = load_settings().feeds
    assert isinstance(feeds["north"], FolderFeed)
    assert isinstance(feeds["shop"], PollingFeed)


@pytest.mark.parametrize(
    ("written", "feed", "said"),
    [
        (FOLDER + "quiet = 3\n", "north", r"feeds\.north\.quiet: "),
        (FOLDER + 'url = "https://x"\n', "north", r"feeds\.north\.folder: "),
        (FOLDER.replace('folder = "in"\n', ""), "north", r"feeds\.north\.folder: "),
        (FOLDER + 'currency = "usd"\n', "north", r"feeds\.north\.currency: "),
        (FOLDER + "max_bytes = 0\n", "north", "0 was said"),
        (FOLDER.replace("north", "North"), "North", r"feeds\.North"),
        (POLLED.replace("https", "ftp"), "shop", "http://"),
        (POLLED.replace("//x", "//me:hidden@x"), "shop", "must not hold a user"),
        (POLLED + 'headers = { Authorization = "hidden" }\n', "shop", "Authorization looks like a secret"),
        (POLLED + 'headers = { X-Api-Key = "hidden" }\n', "shop", "token_file"),
        (POLLED + 'token = "hidden"\n', "shop", r"feeds\.shop\.token is a secret.*RELAY_FEEDS__SHOP__TOKEN"),
        (POLLED + 'cursor = { param = "since" }\n', "shop", "say one: max_of"),
        (POLLED + 'cursor = { param = "since", max_of = "a", field = "b" }\n', "shop", "say one: max_of"),
        (POLLED + 'next_param = "page"\n', "shop", "field .* is said with kind next"),
        (POLLED + 'pages = { kind = "number" }\n', "shop", "param .* is missing"),
        (POLLED + 'pages = { kind = "link", field = "next" }\n', "shop", "with no other"),
        (POLLED + 'pages = { kind = "cursor" }\n', "shop", r"feeds\.shop\.pages\.kind"),
        (POLLED + "pages = {}\npage_size = 5\n", "shop", "say pages instead"),
        (POLLED + 'page_param = "page"\nnext_field = "next"\n', "shop", "say pages instead"),
        (TWO + FOLDER, "north", r"feeds\.north\.company is missing.*one, two"),
        (TWO + FOLDER + 'company = "three"\n', "north", r"\[companies\.three\] is missing"),
    ],
)
def test_a_mistake_in_one_feed_is_told_in_a_sentence_and_stops_that_feed_alone(
    written: str, feed: str, said: str
) -> None:
    other = FOLDER.replace("north", "other") + ('company = "one"\n' if TWO in written else "")
    Path("relay.toml").write_text(written + other)
    settings = load_settings()
    assert set(settings.feeds) == {"other"}
    assert set(settings.wrong_feeds) == {feed}
    assert re.search(said, settings.wrong_feeds[feed])
    assert "hidden" not in f"{settings.wrong_feeds}{settings!r}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[shopify]\nsecrets = ["hidden"]\n', r"shopify\.secrets is a secret"),
        (TWO + '[shopify]\nshops = { "x" = "three" }\n', r"\[companies\.three\] is missing"),
        ('feeds = ["hidden"]\n', r"feeds: Input should be"),
        (FOLDER + "quiet = 3\n[log]\nlevel = 3\n", r"feeds\.north\.quiet: .*log\.level: "),
    ],
)
def test_a_mistake_in_what_is_of_all_is_told_in_a_sentence(written: str, said: str) -> None:
    Path("relay.toml").write_text(written)
    with pytest.raises(ConfigurationError, match=said) as refused:
        load_settings()
    assert "hidden" not in str(refused.value)


def test_the_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("relay.toml").write_text(POLLED)
    monkeypatch.setenv("RELAY_FEEDS__SHOP__TOKEN", "hidden")
    settings = load_settings()
    feed = settings.feeds["shop"]
    assert isinstance(feed, PollingFeed)
    assert feed.bearer("shop") == "hidden"
    assert "hidden" not in repr(settings)


def test_options_go_before_those_of_the_file() -> None:
    Path("north.toml").write_text('kind = "adjusted"\n[columns]\nitem = "sku"\n')
    Path("relay.toml").write_text(FOLDER + 'options_file = "north.toml"\noptions = { kind = "counted" }\n')
    assert load_settings().feeds["north"].source_options() == {"kind": "counted", "columns": {"item": "sku"}}


@pytest.mark.parametrize("content", [None, "[columns", "\xff"])
def test_an_options_file_that_cannot_be_read_is_told(content: str | None) -> None:
    if content is not None:
        Path("north.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"north\.toml"):
        FolderFeed(source="x", folder=Path("in"), options_file=Path("north.toml")).source_options()


def test_shops_are_compared_in_lower_case() -> None:
    Path("relay.toml").write_text('[shopify]\nshops = { "X.MyShopify.com" = "main" }\n')
    assert load_settings().shopify.shops == {"x.myshopify.com": "main"}


def settings_of(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        required = field.default is PydanticUndefined
        default: Any = field.default
        if isinstance(default, BaseModel):
            default = default.model_dump(exclude_defaults=True)
        yield name, "none, required" if required else f"`{str(default).lower()}`" if default is True else shown(default)


def test_the_page_has_every_setting_of_both_kinds_in_order() -> None:
    page = (ROOT / "docs" / "feeds.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE)
    assert rows == [*settings_of(FolderFeed), *settings_of(PollingFeed)]


def test_settings_of_before_still_number_the_pages_and_say_what_they_are_called_now() -> None:
    Path("relay.toml").write_text(POLLED + 'page_param = "offset"\npage_first = 0\npage_step = 100\n')
    feed = load_settings().feeds["shop"]
    assert isinstance(feed, PollingFeed)
    assert feed.pages == PageSettings(kind="number", param="offset", first=0, step=100)
    assert feed.renamed[0] == "page_param is called pages.param now; both work"


def test_settings_of_before_still_lead_to_the_next_page() -> None:
    Path("relay.toml").write_text(POLLED + 'next_field = "meta.more"\nnext_param = "since"\n')
    feed = load_settings().feeds["shop"]
    assert isinstance(feed, PollingFeed)
    assert feed.pages == PageSettings(kind="next", field="meta.more", param="since")


def test_a_size_of_pages_that_were_never_numbered_means_nothing_as_before() -> None:
    Path("relay.toml").write_text(POLLED + "page_size = 50\n")
    feed = load_settings().feeds["shop"]
    assert isinstance(feed, PollingFeed)
    assert feed.pages == PageSettings()
