"""UBL 2.x files: a ReceiptAdvice is a receipt, a DespatchAdvice of ours is a shipment.

The file reader of source `ubl`. Pure; the shapes were read off the OASIS example and the public schema.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Final, Literal

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.warehouse.ubl_fields import UblNode
from producers.warehouse.whole_file import FileOptions, Words, file_options, read_whole
from producers.warehouse.wrapping import iso_day, only_one, refused, rejecting, wrap
from producers.warehouse.xml_tree import parse_xml
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted

_ROOT: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_ITEM_IDS: Final = {
    "buyers": "BuyersItemIdentification",
    "standard": "StandardItemIdentification",
    "sellers": "SellersItemIdentification",
}


class UblOptions(FileOptions):
    """How UBL is read.

    `item_id` says which identification of an item is its SKU; without it the buyer's, else the standard one, else the
    seller's. `ours` are our own ids as a party: a despatch of ours leaves our stock.
    """

    item_id: Literal["buyers", "standard", "sellers"] | None = None
    ours: Words = ()


def read_ubl(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read the document of the file.

    Raises Rejected before the first piece: `not_xml`, `xml_entities`, `wrong_root`, `missing_field`.
    """
    options = file_options(UblOptions, context.options)
    root = parse_xml(read_whole(stream, max_bytes=options.max_bytes))
    document = UblNode(root)
    if root.name not in _KINDS or root.namespace != f"{_ROOT}{root.name}-2":
        message = f"the root is {root.name[:50]}, and a ReceiptAdvice or DespatchAdvice of UBL 2 is read"
        raise Rejected(reason="wrong_root", message=message)
    if document.text("CopyIndicator") in {"true", "1"}:
        yield Taken("document", (), ignored="copy")
        return
    yield from _KINDS[root.name](document, options, context.company)


def _receipt(document: UblNode, options: UblOptions, company: str) -> Iterator[Taken | Refused]:
    number, whole = document.must("ID"), document.text("OrderReference", "ID")
    by_order: dict[str | None, list[ReceiptLine]] = {}
    days: list[date] = []
    problems: list[Refused] = []
    for node in document.nodes("ReceiptLine"):
        try:
            line = _receipt_line(node, options)
            days += [found for found in (_day(node, "ReceivedDate"),) if found]
        except Rejected as error:
            problems.append(refused(f"line {node.text('ID') or node.line}", error))
            continue
        order = node.text("OrderLineReference", "OrderReference", "ID") or whole
        by_order.setdefault(order, []).append(line)
    on = _day(document, "Shipment", "Delivery", "ActualDeliveryDate") or max(days, default=_day(document, "IssueDate"))
    vendor = document.party("DespatchSupplierParty", "SellerSupplierParty")
    events = []
    for order, lines in by_order.items():
        fact = _fact("receipt", document, vendor, number)
        with rejecting():
            data = ReceiptPosted(
                fact=f"{fact}:{order}" if len(by_order) > 1 else fact,
                order=order,
                receipt=number,
                supplier=vendor,
                lines=tuple(lines),
                day=on,
            )
        events.append(wrap(data, source="ubl", company=company))
    yield from problems
    if events or not problems:
        yield Taken("document", tuple(events), ignored=None if events else "no_lines")


def _receipt_line(node: UblNode, options: UblOptions) -> ReceiptLine:
    received, unit = node.must_quantity("ReceivedQuantity")
    rejected, short, over = (
        node.quantity(name, unit) for name in ("RejectedQuantity", "ShortQuantity", "OversupplyQuantity")
    )
    if rejected is not None and rejected > received:
        message = f"{rejected:f} are rejected, and only {received:f} were received"
        raise Rejected(reason="rejected_exceeds_received", message=message, field=node.at("RejectedQuantity"))
    item = _only_item(node)
    with rejecting():
        return ReceiptLine(
            line=node.text("OrderLineReference", "LineID") or node.text("ID"),
            item=_item_id(item, options),
            quantity=received - (rejected or Decimal(0)),
            unit=unit,
            lot=_lot(item),
            expires=_day(item, "ItemInstance", "LotIdentification", "ExpiryDate"),
            rejected=rejected or None,
            short=short or None,
            over=over or None,
        )


def _despatch(document: UblNode, options: UblOptions, company: str) -> Iterator[Taken | Refused]:
    number = document.must("ID")
    sender = document.party_ids("DespatchSupplierParty", "SellerSupplierParty")
    receiver = document.party_ids("DeliveryCustomerParty", "BuyerCustomerParty")
    ours = frozenset(options.ours)
    if not ours & sender or ours & receiver:
        reason = "between_own_places" if ours & sender else "despatched_not_received"
        yield Taken("document", (), ignored=reason)
        return
    on = _day(document, "Shipment", "Delivery", "Despatch", "ActualDespatchDate") or _day(document, "IssueDate")
    fact = _fact("despatch", document, document.party("DespatchSupplierParty"), number)
    for index, node in enumerate(document.nodes("DespatchLine"), start=1):
        where = f"line {node.text('ID') or node.line}"
        try:
            sent, unit = node.must_quantity("DeliveredQuantity")
            if not sent:
                yield Taken(where, (), ignored="nothing_shipped")
                continue
            item = _only_item(node)
            with rejecting():
                data = StockAdjusted(
                    fact=f"{fact}:{node.text('ID') or index}",
                    item=_item_id(item, options),
                    lot=_lot(item),
                    delta=-sent,
                    unit=unit,
                    reason="shipment",
                    day=on,
                    document=number,
                )
            yield Taken(where, (wrap(data, source="ubl", company=company),))
        except Rejected as error:
            yield refused(where, error)


_KINDS: Final = {"ReceiptAdvice": _receipt, "DespatchAdvice": _despatch}


def _fact(kind: str, document: UblNode, vendor: str | None, number: str) -> str:
    unique = document.text("UUID")
    return f"ubl:{kind}:{unique.lower()}" if unique else f"ubl:{kind}:{vendor or 'unknown'}:{number}"


def _lot(item: UblNode) -> str | None:
    return only_one([instance.text("LotIdentification", "LotNumberID") for instance in item.nodes("ItemInstance")])


def _day(node: UblNode, *path: str) -> date | None:
    text = node.text(*path)
    return None if text is None else iso_day(text, field=node.at(*path))


def _only_item(node: UblNode) -> UblNode:
    items = tuple(node.nodes("Item"))
    if len(items) == 1:
        return items[0]
    message = f"a line is about one item, and this one has {len(items)}: how much of each is not said"
    raise Rejected(reason="several_items" if items else "no_item", message=message, field=node.at("Item"))


def _item_id(item: UblNode, options: UblOptions) -> str:
    wanted = (options.item_id,) if options.item_id else tuple(_ITEM_IDS)
    found = next((text for name in wanted if (text := item.text(_ITEM_IDS[name], "ID"))), None)
    if found is None:
        message = f"no {' or '.join(wanted)} item identification: set item_id to the one that is your SKU"
        raise Rejected(reason="no_item", message=message, field=item.at("ID"))
    return found
