"""UBL 2.x files: a ReceiptAdvice is a receipt, a DespatchAdvice of ours is a shipment.

The file reader of source `ubl`. Pure; the shapes were read off the OASIS example and the public schema.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from typing import BinaryIO, Final, Literal

from producers.drafts import only_one, wrap
from producers.normalising import NormaliseContext, Rejected, Taken
from producers.reading.days import iso_day
from producers.reading.files import Words, read_whole
from producers.reading.options import read_options
from producers.reading.xml_tree import Element, parse_xml
from producers.warehouse.goods import (
    GoodsDocument,
    GoodsLine,
    GoodsOptions,
    Pieces,
    events_of,
    ignored,
    lines_of,
    several,
)
from producers.warehouse.ubl.fields import UblNode

_ROOT: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
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


def read_ubl(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read the document of the file.

    Raises Rejected before the first piece: `not_xml`, `xml_entities`, `wrong_root`, `missing_field`, `cancellation`,
    `no_lines`.
    """
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
        days.extend(day for day in (_day(node, "ReceivedDate"),) if day)  # also of a line that is refused below
        yield _received(node, options, fact=f"{fact}:{order}" if apart else fact, order=order)

    lines = lines_of(zip(nodes, orders, strict=True), read, where=lambda part: _where(part[0]))
    return GoodsDocument(
        kind="receipt",
        lines=lines,
        number=number,
        supplier=vendor,
        day=_day(document, "Shipment", "Delivery", "ActualDeliveryDate")
        or max(days, default=_day(document, "IssueDate")),
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
    item = _only_item(node)
    return GoodsLine(
        where=_where(node),
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
    if not ours & sender or ours & receiver:
        reason = "between_own_places" if ours & sender else "despatched_not_received"
        return ignored(reason)
    fact = _fact("despatch", document, document.party("DespatchSupplierParty"), number)

    def read(part: tuple[int, UblNode]) -> Iterator[GoodsLine | Taken]:
        yield _sent(part[1], options, fact=f"{fact}:{part[1].text('ID') or part[0]}")

    return GoodsDocument(
        kind="shipment",
        reason="shipment",
        lines=lines_of(enumerate(document.nodes("DespatchLine"), start=1), read, where=lambda part: _where(part[1])),
        document=number,
        day=_day(document, "Shipment", "Delivery", "Despatch", "ActualDespatchDate") or _day(document, "IssueDate"),
    )


def _sent(node: UblNode, options: UblOptions, *, fact: str) -> GoodsLine | Taken:
    sent, unit = node.must_quantity("DeliveredQuantity")
    if not sent:
        return Taken(_where(node), (), ignored="nothing_shipped")
    item = _only_item(node)
    return GoodsLine(
        where=_where(node), fact=fact, item=_item_id(item, options), quantity=sent, unit=unit, lot=_lot(item)
    )


def _where(node: UblNode) -> str:
    return f"line {node.text('ID') or node.line}"


_KINDS: Final = {"ReceiptAdvice": _receipt, "DespatchAdvice": _despatch}


def _fact(kind: str, document: UblNode, vendor: str | None, number: str) -> str:
    unique = document.text("UUID")
    return f"ubl:{kind}:{unique.lower()}" if unique else f"ubl:{kind}:{vendor or 'unknown'}:{number}"


def _lot(item: UblNode) -> str | None:
    instances = [instance.text("LotIdentification", "LotNumberID") for instance in item.nodes("ItemInstance")]
    return only_one([*instances, item.text("LotIdentification", "LotNumberID")])


def _expiry(item: UblNode) -> date | None:
    instance = _day(item, "ItemInstance", "LotIdentification", "ExpiryDate")
    return instance or _day(item, "LotIdentification", "ExpiryDate")


def _day(node: UblNode, *path: str) -> date | None:
    text = node.text(*path)
    return None if text is None else iso_day(text, field=node.at(*path))


def _only_item(node: UblNode) -> UblNode:
    items = tuple(node.nodes("Item"))
    if len(items) == 1:
        return items[0]
    message = f"a line is about one item, and this one has {len(items)}: how much of each is not said"
    raise Rejected("several_items" if items else "no_item", message, field=node.at("Item"))


def _item_id(item: UblNode, options: UblOptions) -> str:
    wanted = (options.item_id,) if options.item_id else tuple(_ITEM_IDS)
    found = next((text for name in wanted if (text := item.text(_ITEM_IDS[name], "ID"))), None)
    if found is None:
        message = f"no {' or '.join(wanted)} item identification: set item_id to the one that is your SKU"
        raise Rejected("no_item", message, field=item.at("ID"))
    return found
