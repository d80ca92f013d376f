"""One EPCIS event, opened: what, how much, when, whose. It must not decide what the event posts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from producers.drafts import digest
from producers.normalising import Rejected
from producers.reading.numbers import number_of
from producers.reading.texts import clean
from producers.warehouse.epcis.ids import alone, goods, party, transaction, word
from schemas.attributes import parse_time
from schemas.inventory import MAX_QUANTITY

T = TypeVar("T")

_MOST_DIGITS: Final = 24
_LONGEST_NAME: Final = 64
_MOST_CORRECTIONS: Final = 5
_VOLATILE: Final = frozenset({"eventID", "recordTime", "@context", "rdfs:comment"})
"""Members that a repository adds or that only people read: not what happened."""


class GoodsQuantity(NamedTuple):
    """So much of an item. `unit` None: pieces."""

    item: str
    lot: str | None
    unit: str | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class EpcisEvent:
    """The members of one event; reading them raises Rejected, naming the member."""

    values: Mapping[str, object]

    @property
    def kind(self) -> str:
        """`ObjectEvent` and so on; of several types the one that is an event. Empty when absent."""
        types = self.types()
        return next((kind for kind in types if kind.endswith("Event")), types[0] if types else "")

    @property
    def name(self) -> str:
        """The event's id, or a hash of a long id, or of what it says: the same wherever it is repeated."""
        named = self.text("eventID")
        if named is None:
            return digest(_canonical({key: value for key, value in self.values.items() if key not in _VOLATILE}))
        return named if len(named) <= _LONGEST_NAME else digest(named)

    @property
    def step(self) -> str:
        """The business step, as a plain word."""
        return word(self.values.get("bizStep"))

    @property
    def disposition(self) -> str:
        """The disposition, as a plain word."""
        return word(self.values.get("disposition"))

    @property
    def is_wrong(self) -> bool:
        """Whether it is declared to be."""
        return self.values.get("errorDeclaration") is not None

    def types(self) -> tuple[str, ...]:
        """Give its types, of which JSON-LD may name several, without the prefix that they may have."""
        listed = next((held for name in ("type", "@type", "isA") if (held := self._listed(name))), ())
        named = [clean(each) or "" for each in listed if isinstance(each, str)]
        return tuple(each.removeprefix("epcis:") for each in named if each)

    def text(self, name: str) -> str | None:
        """Give a text, which may stand alone in a list; None when absent or something else."""
        value = alone(self.values.get(name))
        return clean(value) if isinstance(value, str) else None

    def corrections(self) -> str:
        """Give the ids of the events that correct this one, for people; empty where there are none."""
        declared = self.values.get("errorDeclaration")
        named = declared.get("correctiveEventIDs") if isinstance(declared, dict) else None
        ids = [clean(name) or "" for name in named if isinstance(name, str)] if isinstance(named, list) else []
        return ", ".join(name[:_LONGEST_NAME] for name in ids[:_MOST_CORRECTIONS] if name)

    def action(self) -> str:
        """Give ADD, OBSERVE or DELETE. Raises Rejected: `missing_field`."""
        found = self.text("action")
        if found not in {"ADD", "OBSERVE", "DELETE"}:
            raise Rejected("missing_field", "must be ADD, OBSERVE or DELETE", field="action")
        return found

    def time(self) -> datetime:
        """Give when it happened, in UTC; without offset by eventTimeZoneOffset. Raises Rejected: `bad_time`."""
        said, offset = self.text("eventTime") or "", self.text("eventTimeZoneOffset") or ""
        for candidate in (said, f"{said}{offset}"):
            try:
                return parse_time(candidate).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
        message = "a time is written as 2026-01-31T12:00:00Z, or with an offset such as +02:00"
        raise Rejected("bad_time", message, field="eventTime")

    def place(self) -> str | None:
        """Give where the goods are after it: the business location, else the read point."""
        held = (alone(self.values.get(name)) for name in ("bizLocation", "readPoint"))
        values = (alone(each.get("id") if isinstance(each, dict) else each) for each in held)
        return next((found for value in values if isinstance(value, str) and (found := clean(value))), None)

    def transactions(self, *types: str) -> str | None:
        """Give the number of the first business transaction, by the order of the types."""
        held = [(word(item.get("type")), item.get("bizTransaction")) for item in self._objects("bizTransactionList")]
        ordered = (value for wanted in types for kind, value in held if kind == wanted)
        return next((found for value in ordered if isinstance(value, str) and (found := transaction(value))), None)

    def owners(self, side: str) -> frozenset[str]:
        """Give the owning parties of a side, `source` or `destination`."""
        owned = (item for item in self._objects(f"{side}List") if word(item.get("type")) == "owning_party")
        named = (alone(item.get(side)) for item in owned)
        return frozenset(party(name) for name in named if isinstance(name, str) and name)

    def amounts(self, quantities: str = "quantityList", epcs: str = "epcList") -> tuple[GoodsQuantity, ...]:
        """Give how much of what: the quantities and one piece an EPC, those of one item, lot and unit together.

        Raises Rejected: `missing_quantity`, `bad_quantity`, `wrong_type`, and `contents_unknown` where there are only
        pallets and the like.
        """
        found: dict[tuple[str, str | None, str | None], Decimal] = {}
        listed = self._texts(epcs)
        pieces = (GoodsQuantity(*what, None, Decimal(1)) for epc in dict.fromkeys(listed) if (what := goods(epc)))
        for item, lot, unit, quantity in (*self.quantities(quantities), *pieces):
            found[item, lot, unit] = found.get((item, lot, unit), Decimal(0)) + quantity
        if listed and not found:
            message = "only pallets, crates or assets are named, and not what is on them: a person must say"
            raise Rejected("contents_unknown", message, field=epcs)
        return tuple(GoodsQuantity(*key, quantity) for key, quantity in found.items())

    def pieces(self) -> frozenset[str]:
        """Give the EPCs that are goods. Raises Rejected: `wrong_type`."""
        return frozenset(epc for epc in self._texts("epcList") if goods(epc))

    def quantities(self, name: str = "quantityList") -> Iterator[GoodsQuantity]:
        """Give the quantities of classes. Raises Rejected: `missing_quantity`, `bad_quantity`, `no_item`."""
        for index, item in enumerate(self._objects(name)):
            at = f"{name}[{index}]"
            named, number, unit = item.get("epcClass"), item.get("quantity"), item.get("uom")
            if number is None:
                raise Rejected("missing_quantity", "how much is not said", field=f"{at}.quantity")
            quantity = _quantity(number, field=f"{at}.quantity")
            what = goods(named) if isinstance(named, str) else None
            if what is None:
                raise Rejected("no_item", "it names no class of goods", field=f"{at}.epcClass")
            yield GoodsQuantity(*what, clean(unit) if isinstance(unit, str) else None, quantity)

    def _objects(self, name: str) -> tuple[dict[str, object], ...]:
        return self._all(name, dict, "a list of objects")

    def _texts(self, name: str) -> tuple[str, ...]:
        return self._all(name, str, "a list of texts")

    def _all(self, name: str, kind: type[T], wanted: str) -> tuple[T, ...]:
        held = tuple(item for item in self._listed(name) if isinstance(item, kind))
        if len(held) < len(self._listed(name)):
            raise Rejected("wrong_type", f"must be {wanted}", field=name)
        return held

    def _listed(self, name: str) -> Sequence[object]:
        """A list, as JSON-LD may write it: one element may stand there without its list."""
        held = self.values.get(name)
        return () if held is None else held if isinstance(held, list) else (held,)


def _quantity(number: object, *, field: str) -> Decimal:
    quantity = number_of(number)
    if quantity is not None and quantity < 0:
        raise Rejected("negative_quantity", "the quantity is negative", field=field)
    if quantity is not None and quantity <= MAX_QUANTITY and len(quantity.as_tuple().digits) <= _MOST_DIGITS:
        return quantity
    message = f"a quantity is a number from 0 to {MAX_QUANTITY}, of at most {_MOST_DIGITS} digits"
    raise Rejected("bad_quantity", message, field=field)


def _canonical(value: object) -> str:
    """Write the value with its members in order and its numbers in one form, so that a hash of it stays the same."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number)
    except RecursionError:
        raise Rejected("not_epcis", "an event that is nested this deep is no EPCIS") from None


def _number(value: object) -> str:
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MOST_DIGITS:
        return f"{value.normalize():f}"
    return f"{value}"
