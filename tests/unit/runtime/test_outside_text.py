"""Text from outside: what can be read stays, all else is seen as what it is, and JSON says the same as before."""

import json
import logging
import sys
import unicodedata

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime.logs import log_formatter
from runtime.outside_text import visible, visible_json, visible_lines, visible_values
from tests.hostile import HOSTILE, SHOWN, hidden_in

ANYTHING = st.text(st.characters() | st.characters(categories=["Cs", "Cf", "Cc", "Mn"]))


@given(ANYTHING)
def test_nothing_hides_and_the_text_is_one_that_can_be_printed(text: str) -> None:
    shown = visible(text)
    assert hidden_in(shown) == set()
    assert shown.encode("utf-8").decode() == shown
    assert visible(shown) == shown
    assert len(shown) >= len(text)


@pytest.mark.parametrize("text", ["plain", "Müller & Söhne", "日本語", "مرحبا", "naïve café", "👍", "a\\b [x] {y}", ""])
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible_json(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)


def test_every_control_mark_and_blank_is_seen() -> None:
    assert visible(HOSTILE) == SHOWN
    hiding = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs"}]
    assert all(visible(letter).startswith("\\") for letter in [*hiding, "\u2028", "\u2800", "\ufe0f", "\U000e0100"])


def test_accents_that_are_piled_up_are_cut_off_after_the_second() -> None:
    assert visible("e\u0301") == "e\u0301"
    assert visible("e" + "\u0301" * 4) == "e\u0301\u0301\\u0301\\u0301"
    assert visible("\u0301e") == "\\u0301e"


def test_no_line_of_a_text_from_outside_looks_like_one_of_ours() -> None:
    assert visible_lines("bad\n2026-01-01 all is well\r\x1b[2K", "  ") == "bad\n  2026-01-01 all is well\\r\\x1b[2K"


@given(st.dictionaries(ANYTHING, ANYTHING | st.integers() | st.none()))
def test_json_says_exactly_the_same(value: dict[str, object]) -> None:
    for ascii_only in (False, True):
        shown = visible_json(json.dumps(value, ensure_ascii=ascii_only, indent=2))
        assert json.loads(shown) == json.loads(json.dumps(value))
        assert hidden_in(shown) == set()
        shown.encode("utf-8")


def test_what_is_logged_is_made_visible_however_deep_it_lies() -> None:
    assert visible_values({HOSTILE: [(HOSTILE, 1), {HOSTILE}, None, True, 1.5]}) == {
        SHOWN: [[SHOWN, 1], [SHOWN], None, True, 1.5]
    }


@pytest.mark.parametrize("pretty", [True, False])
def test_no_log_line_says_more_than_one_thing(*, pretty: bool) -> None:
    shared: list[structlog.typing.Processor] = [structlog.stdlib.add_log_level]
    formatter = log_formatter(shared, pretty=pretty)
    try:
        secret_of_a_frame = "SK_LIVE_NEVER_SHOWN".lower()
        raise type(f"{HOSTILE}\n2026-01-01 [info] forged", (ValueError,), {})(secret_of_a_frame)
    except ValueError as error:
        said_so = {"event": f"said {HOSTILE}", "exc_info": error}
        record = logging.getLogger("x").makeRecord("x", 40, "x", 1, said_so, (), None)
        record.__dict__["_logger"], record.__dict__["_name"] = None, "error"
    text = formatter.format(record)
    said = json.loads(text) if not pretty else {"event": text, "exception": text}
    colours = text.replace("\x1b[0m", "").replace("\x1b[", "") if pretty else text
    assert "\x1b" not in colours
    assert hidden_in(text) - {"\x1b"} == set()
    assert SHOWN in said["event"]
    assert "\n  2026-01-01 [info] forged" in said["exception"]
    assert "sk_live_never_shown" not in text


def test_the_values_of_an_events_own_fields_and_its_keys_are_made_visible() -> None:
    formatter = log_formatter([], pretty=False)
    record = logging.getLogger("x").makeRecord("x", 40, "x", 1, {"event": "e", HOSTILE: HOSTILE}, (), None)
    record.__dict__["_logger"], record.__dict__["_name"] = None, "error"
    assert json.loads(formatter.format(record)) == {"event": "e", SHOWN: SHOWN}
