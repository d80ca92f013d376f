"""GS1 EPCIS 2.0 files (JSON-LD): what scanners saw, as far as it changes stock.

The file reader of source `epcis`. It must not look up a `@context` or anything else.
"""

from typing import BinaryIO

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.fields import parsed
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.epcis.event import EpcisEvent
from producers.warehouse.epcis.postings import EpcisOptions, Known, goods_of, must_stand
from producers.warehouse.goods import Pieces, data_of
from schemas.json_text import MOST_VALUES_OF_A_FILE

_DOCUMENTS = frozenset({"EPCISDocument", "EPCISQueryDocument"})


def read_epcis(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read an EPCISDocument, an EPCISQueryDocument, one event, or a list of events.

    Raises Rejected before the first piece: `xml_not_read`, `not_json`, `not_epcis`.
    """
    options = read_options(EpcisOptions, context.options)
    raw = read_whole(stream, max_bytes=options.max_bytes)
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        message = "this is XML, and EPCIS is read in JSON: let the repository answer with JSON (EPCIS 2.0)"
        raise Rejected("xml_not_read", message)
    document = parsed(raw, most_values=MOST_VALUES_OF_A_FILE)
    found = _events(document)
    if not found:
        yield Taken("file", (), ignored="no_events")
    known = Known.of([EpcisEvent(values) for values in found if isinstance(values, dict)], options)
    for index, values in enumerate(found, start=1):
        where = f"event {index}"
        if not isinstance(values, dict):
            yield Refused(where, "wrong_type", "an event is a JSON object")
            continue
        try:
            yield _taken(EpcisEvent(values), known, company=context.company, where=where)
        except Rejected as error:
            yield error.at(where)


def _taken(event: EpcisEvent, known: Known, *, company: str, where: str) -> Taken:
    """All that an event posts, or nothing: what was seen at once is one thing. Raises Rejected."""
    goods = goods_of(event, known)
    if isinstance(goods, str):
        return Taken(where, (), ignored=goods)
    at = event.time()
    events = tuple(
        wrap(data, source="epcis", company=company, at=at) for document in goods for data in data_of(document)
    )
    if not events:
        return Taken(where, (), ignored="no_goods")
    must_stand(event)
    return Taken(where, events)


def _events(document: object) -> list[object]:
    found = _of_document(document) if isinstance(document, dict) else document
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    message = "not EPCIS 2.0 in JSON: it needs an epcisBody with an eventList, an event, or a list of events"
    raise Rejected("not_epcis", message)


def _of_document(document: dict[str, object]) -> object:
    if _DOCUMENTS & frozenset(EpcisEvent(document).types()) or "epcisBody" in document:
        body = document.get("epcisBody")
        return _of_body(body) if isinstance(body, dict) else None
    if isinstance(document.get("eventList"), list):
        return _of_body(document)
    return document if EpcisEvent(document).kind.endswith("Event") else None


def _of_body(body: dict[str, object]) -> object:
    results = body.get("queryResults")
    inner = results.get("resultsBody") if isinstance(results, dict) else None
    return (inner if isinstance(inner, dict) else body).get("eventList", body.get("event"))
