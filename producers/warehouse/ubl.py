"""UBL 2.x files: a ReceiptAdvice is a receipt, a DespatchAdvice of ours is a shipment.

The file reader of source `ubl`. Pure; the shapes were read off the OASIS example and the public schema.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import BinaryIO, Final, Literal

from producers.drafts import must_be_in, only_one, wrap
from producers.normalising import NormaliseContext, Piece, Rejected, Taken
from producers.reading.days import iso_day
from producers.reading.files import Words, read_whole
from producers.reading.numbers import quantity_from
from producers.reading.options import read_options
from producers.reading.texts import clean
from producers.reading.xml_tree import Element, parse_xml
from producers.warehouse.goods import GoodsDocument, GoodsLine, GoodsOptions, events_of, ignored, lines_of, several

_ROOT: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_BASIC: Final = f"{_ROOT}CommonBasicComponents-2"
_AGGREGATE: Final = f"{_ROOT}CommonAggregateComponents-2"
_UNDONE: Final = frozenset({"cancelled", "canceled", "withdrawn", "deleted", "disputed"})
_ITEM_IDS: Final = {
    "buyers": "BuyersItemIdentification",
    "standard": "StandardItemIdentification",
    "sellers": "SellersItemIdentification",
}


class UblOptions(GoodsOptions):
    """How UBL is read.

    `item_id` says which identification of an item is its SKU; without it the buyer's, else the standard one, else the
    seller's. `received_quantity` accepted: what is rejected is not counted in ReceivedQuantity, but beside it. `ours`
    are our own ids as a party: a despatch of ours leaves our stock, and what others received from us is no receipt.
    """

    item_id: Literal["buyers", "standard", "sellers"] | None = None
    received_quantity: Literal["all", "accepted"] = "all"
    ours: Words = ()


@dataclass(frozen=True, slots=True)
class UblNode:
    """An element of a UBL document, and the dotted path that leads to it."""

    element: Element = field(repr=False)
    path: str = ""

    @property
    def where(self) -> str:
        """Where it stands, for people: by its id, else by the line of the file."""
        return f"line {self.text('ID') or self.element.line}"

    def at(self, *path: str) -> str:
        """Name the dotted path of a field inside."""
        return ".".join(filter(None, (self.path, *path)))

    def nodes(self, name: str) -> Iterator["UblNode"]:
        """Give the aggregates of this name."""
        return (UblNode(child, self.at(name)) for child in self.element.all(_AGGREGATE, name))

    def text(self, *path: str) -> str | None:
        """Give the text of the first field at the end of the path; None when absent or empty."""
        *inside, last = path
        found: Element | None = self.element
        for name in inside:
            found = found.first(_AGGREGATE, name) if found else None
        basic = found.first(_BASIC, last) if found else None
        return clean(basic.text) if basic else None

    def must(self, name: str) -> str:
        """Give the text of a field. Raises Rejected: `missing_field`."""
        found = self.text(name)
        if found is None:
            raise Rejected("missing_field", "needed, and missing", field=self.at(name))
        return found

    def day(self, *path: str) -> date | None:
        """Give the day at the end of the path; None when absent. Raises Rejected: `bad_date`."""
        text = self.text(*path)
        return iso_day(text, field=self.at(*path)) if text else None

    def must_quantity(self, name: str) -> tuple[Decimal, str | None]:
        """Give quantity and unit. Raises Rejected: `missing_quantity`, `bad_quantity`, `negative_quantity`."""
        found = self.element.first(_BASIC, name)
        number = quantity_from(found.text if found else None, field=self.at(name))
        if number < 0:
            raise Rejected("negative_quantity", "the quantity is negative", field=self.at(name))
        return number, clean(found.attributes.get("unitCode")) if found else None

    def quantity(self, name: str, unit: str | None) -> Decimal | None:
        """Give a quantity in the line's unit; None without. Raises Rejected: `bad_quantity`, `units_differ`."""
        if self.element.first(_BASIC, name) is None:
            return None
        number, own = self.must_quantity(name)
        must_be_in(own, unit, field=self.at(name))
        return number

    def party(self, *names: str) -> str | None:
        """Give one id of the first of these parties that has any: its own, else what the customer calls it."""
        return next((found[0] for name in names if (found := self._ids(name))), None)

    def party_ids(self, *names: str) -> frozenset[str]:
        """Give all ids of these parties."""
        return frozenset(found for name in names for found in self._ids(name))

    def only_item(self) -> "UblNode":
        """Give what a line is about. Raises Rejected: `several_items`, `no_item`."""
        items = tuple(self.nodes("Item"))
        if len(items) == 1:
            return items[0]
        message = f"a line is about one item, and this one has {len(items)}: how much of each is not said"
        raise Rejected("several_items" if items else "no_item", message, field=self.at("Item"))

    def _ids(self, name: str) -> tuple[str, ...]:
        found: list[str | None] = []
        for role in self.nodes(name):
            for company in role.nodes("Party"):
                found += [identification.text("ID") for identification in company.nodes("PartyIdentification")]
                found.append(company.text("EndpointID"))
            found += [role.text("CustomerAssignedAccountID"), role.text("SupplierAssignedAccountID")]
        return tuple(text for text in found if text)


def read_ubl(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Read the document of the file. Raises Rejected before the first piece where nothing of it can be used."""
    options = read_options(UblOptions, context.options)
    goods = _goods(parse_xml(read_whole(stream, max_bytes=options.max_bytes)), options)
    event = partial(wrap, source="ubl", company=context.company)
    yield from events_of(goods, event, where="document", bad_lines=options.bad_lines)


def _goods(file: Element, options: UblOptions) -> GoodsDocument:
    root = _unwrapped(file)
    document = UblNode(root)
    if root.name not in _KINDS or root.namespace != f"{_ROOT}{root.name}-2":
        message = f"the root is {root.name[:50]}, and a ReceiptAdvice or DespatchAdvice of UBL 2 is read"
        raise Rejected("wrong_root", message)
    if document.text("CopyIndicator") in {"true", "1"}:
        return ignored("copy")
    status = (document.text("DocumentStatusCode") or "").casefold()
    if status in _UNDONE:
        message = f"its status is {status}, and it may be booked already: a person must reverse it"
        raise Rejected("cancellation", message, field="DocumentStatusCode")
    return _KINDS[root.name](document, options)


def _unwrapped(root: Element) -> Element:
    """The document of a StandardBusinessDocument, in which networks such as Peppol send it; else the root."""
    inside = [child for child in root.children if child.namespace.startswith(_ROOT)]
    return inside[0] if root.name == "StandardBusinessDocument" and len(inside) == 1 else root


def _receipt(document: UblNode, options: UblOptions) -> GoodsDocument:
    if frozenset(options.ours) & document.party_ids("DespatchSupplierParty", "SellerSupplierParty"):
        return ignored("received_by_others")
    number, whole = document.must("ID"), document.text("OrderReference", "ID")
    vendor = document.party("DespatchSupplierParty", "SellerSupplierParty")
    nodes = tuple(document.nodes("ReceiptLine"))
    if not nodes:
        raise Rejected("no_lines", "a receipt without a line: what was received is not said", field="ReceiptLine")
    orders = [node.text("OrderLineReference", "OrderReference", "ID") or whole for node in nodes]
    fact, apart = _fact("receipt", document, vendor, number), several(orders)
    days: list[date] = []

    def read(part: tuple[UblNode, str | None]) -> Iterator[GoodsLine]:
        node, order = part
        if day := node.day("ReceivedDate"):
            days.append(day)  # also of a line that is refused below
        yield _received(node, options, fact=f"{fact}:{order}" if apart else fact, order=order)

    lines = lines_of(zip(nodes, orders, strict=True), read, where=lambda part: part[0].where)
    return GoodsDocument(
        kind="receipt",
        lines=lines,
        number=number,
        supplier=vendor,
        day=document.day("Shipment", "Delivery", "ActualDeliveryDate") or max(days, default=document.day("IssueDate")),
    )


def _received(node: UblNode, options: UblOptions, *, fact: str, order: str | None) -> GoodsLine:
    received, unit = node.must_quantity("ReceivedQuantity")
    rejected, short, over = (
        node.quantity(name, unit) for name in ("RejectedQuantity", "ShortQuantity", "OversupplyQuantity")
    )
    apart = rejected if rejected is not None and options.received_quantity == "all" else Decimal(0)
    if apart > received:
        message = (
            f"{apart:f} are rejected, and only {received:f} were received: where a sender does not count the rejected "
            "among the received, set received_quantity to accepted"
        )
        raise Rejected("rejected_exceeds_received", message, field=node.at("RejectedQuantity"))
    item = node.only_item()
    return GoodsLine(
        where=node.where,
        fact=fact,
        order=order,
        line=node.text("OrderLineReference", "LineID") or node.text("ID"),
        item=_item_id(item, options),
        quantity=received - apart,
        unit=unit,
        lot=_lot(item),
        expires=_expiry(item),
        rejected=rejected or None,
        short=short or None,
        over=over or None,
    )


def _despatch(document: UblNode, options: UblOptions) -> GoodsDocument:
    number = document.must("ID")
    sender = document.party_ids("DespatchSupplierParty", "SellerSupplierParty")
    receiver = document.party_ids("DeliveryCustomerParty", "BuyerCustomerParty")
    ours = frozenset(options.ours)
    if not ours & sender:
        return ignored("despatched_not_received")
    if ours & receiver:
        return ignored("between_own_places")
    fact = _fact("despatch", document, document.party("DespatchSupplierParty"), number)

    def read(part: tuple[int, UblNode]) -> Iterator[GoodsLine | Taken]:
        index, node = part
        name = f"{fact}:{node.text('ID') or index}"
        sent, unit = node.must_quantity("DeliveredQuantity")
        if sent:
            item = node.only_item()
            sku = _item_id(item, options)
            yield GoodsLine(where=node.where, fact=name, item=sku, quantity=sent, unit=unit, lot=_lot(item))
        else:
            yield Taken(node.where, (), ignored="nothing_shipped")

    return GoodsDocument(
        kind="shipment",
        reason="shipment",
        lines=lines_of(enumerate(document.nodes("DespatchLine"), start=1), read, where=lambda part: part[1].where),
        document=number,
        day=document.day("Shipment", "Delivery", "Despatch", "ActualDespatchDate") or document.day("IssueDate"),
    )


_KINDS: Final = {"ReceiptAdvice": _receipt, "DespatchAdvice": _despatch}


def _fact(kind: str, document: UblNode, vendor: str | None, number: str) -> str:
    unique = document.text("UUID")
    return f"ubl:{kind}:{unique.lower()}" if unique else f"ubl:{kind}:{vendor or 'unknown'}:{number}"


def _lot(item: UblNode) -> str | None:
    instances = [instance.text("LotIdentification", "LotNumberID") for instance in item.nodes("ItemInstance")]
    return only_one([*instances, item.text("LotIdentification", "LotNumberID")])


def _expiry(item: UblNode) -> date | None:
    instance = item.day("ItemInstance", "LotIdentification", "ExpiryDate")
    return instance or item.day("LotIdentification", "ExpiryDate")


def _item_id(item: UblNode, options: UblOptions) -> str:
    wanted = (options.item_id,) if options.item_id else tuple(_ITEM_IDS)
    found = next((text for name in wanted if (text := item.text(_ITEM_IDS[name], "ID"))), None)
    if found is None:
        message = f"no {' or '.join(wanted)} item identification: set item_id to the one that is your SKU"
        raise Rejected("no_item", message, field=item.at("ID"))
    return found
