import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.normalising import NormaliseContext, Rejected
from producers.reading.documents import split_documents
from producers.sources import SOURCES
from tests.unit.producers.made import charge, payout, stripe_event


@pytest.mark.parametrize(
    ("raw", "documents"),
    [
        (b'{"a": 1.50}', [b'{"a": 1.50}']),
        (b'\xef\xbb\xbf {"a": 1}\n', [b'{"a": 1}']),
        (b'{"a": 1}\n\n{"b": 2}\r\n', [b'{"a": 1}', b'{"b": 2}']),
        (b'{\n  "a": 1\n}\n{\n  "b": 2\n}', [b'{\n  "a": 1\n}', b'{\n  "b": 2\n}']),
        (b'[{"a": 1} , {"b": [2]}]', [b'{"a": 1}', b'{"b": [2]}']),
        (b'{"object": "list", "has_more": false, "data": [{"a": 1}, {"b": 2}]}', [b'{"a": 1}', b'{"b": 2}']),
        (b'{"data": [{"a": 1}], "object": "list"}', [b'{"a": 1}']),
        (b'{"object": "event", "data": [{"a": 1}]}', [b'{"object": "event", "data": [{"a": 1}]}']),
        (b'{"object": "list", "data": {"a": 1}}', [b'{"object": "list", "data": {"a": 1}}']),
        (b"[]", []),
        (b"", [b""]),
        (b"  \n ", [b""]),
        (b"nonsense", [b"nonsense"]),
        (b'{"a": 1}\n{broken\n{"b": 2}', [b'{"a": 1}', b"{broken", b'{"b": 2}']),
        (b'{"a": 1}\nnonsense\n{"b": 2}', [b'{"a": 1}', b"nonsense", b'{"b": 2}']),
        (b'{\n  "a": {\n    broken\n}\n}', [b'{\n  "a": {\n    broken\n}\n}']),
        (b'\xff\n{"b": 2}', [b"\xff", b'{"b": 2}']),
        (b'[{"a": 1}, oops]', [b'[{"a": 1}, oops]']),
        (b"[" * 100_000, [b"[" * 100_000]),
    ],
)
def test_a_file_is_split_byte_for_byte(raw: bytes, documents: list[bytes]) -> None:
    assert list(split_documents(raw)) == documents


@given(st.binary(max_size=60))
def test_any_file_can_be_split(raw: bytes) -> None:
    for document in split_documents(raw):
        assert document in raw


values = st.integers() | st.text(max_size=5) | st.none()
objects = st.dictionaries(st.sampled_from(["object", "data", "a"]) | st.text(max_size=3), values, max_size=2)


@given(st.lists(objects, min_size=1, max_size=5), st.sampled_from([None, 2]))
def test_lists_lines_and_list_objects_hold_the_same_documents(items: list[object], indent: int | None) -> None:
    wanted = [json.loads(json.dumps(item)) for item in items]
    lines = "\n".join(json.dumps(item, indent=indent) for item in items)
    as_list = json.dumps(items, indent=indent)
    as_object = json.dumps({"object": "list", "data": items}, indent=indent)
    for text in (as_list, as_object):
        assert [json.loads(document) for document in split_documents(text.encode())] == wanted
    if not any(item == {"object": "list"} for item in items):
        assert [json.loads(document) for document in split_documents(lines.encode())] == wanted


def test_one_bad_document_does_not_stop_the_others() -> None:
    raw = b"\n".join(
        [
            stripe_event("payout.paid", payout()),
            b"{broken",
            stripe_event("charge.succeeded", charge(amount=-1)),
        ]
    )
    ends: list[str] = []
    for document in split_documents(raw + b"\n" + stripe_event("charge.succeeded", charge())):
        try:
            found = SOURCES["stripe"].normalise(document, NormaliseContext())
            ends.extend(event.type for event in found.events)
        except Rejected as rejected:
            ends.append(rejected.reason)
    assert ends == ["sales.payout.paid.v1", "not_json", "amount_negative", "sales.payment.succeeded.v1"]


def test_the_context_reaches_the_normaliser() -> None:
    payload = stripe_event("payout.paid", payout(), account="acct_7")
    context = NormaliseContext(company="main", accounts={"acct_7": "seventh"})
    assert SOURCES["stripe"].normalise(payload, context).events[0].company == "seventh"
    with pytest.raises(Rejected, match="acct_7"):
        SOURCES["stripe"].normalise(payload, NormaliseContext())
