"""From a request body to an inventory adjustment: what it does to the item's stock and to the ledger.

Stock is costed at its moving average. Reads the books and never changes them; not every Solid offers this.
"""

from decimal import Decimal

from simulator.books.books import Books, Draft, Leg, Record
from simulator.books.dialect import Dialect
from simulator.books.documents import dated, head
from simulator.books.fields import Fields
from simulator.books.lines import existing_id, record_at
from simulator.books.money import Cents, rounded
from simulator.errors import ApiError


def adjustment(body: Fields, books: Books, dialect: Dialect) -> Draft:
    """In: DR the item's asset account / CR the account given. Out: the reverse, at average cost."""
    fields = head(body)
    item = _holding_stock(body, books)
    account_id = existing_id(body, "account_id", "account", books)
    quantity = body.number_or_none("quantity")
    if not quantity:
        raise body.wrong(field="quantity", problem="must be a number other than zero")
    on_hand = books.stock_of(item.id).quantity
    if on_hand + quantity < 0 and quantity < 0 and dialect.negative_stock == "refused":
        message = f"there are {on_hand:f} of this item; {-quantity:f} cannot be taken"
        raise ApiError(422, "NEGATIVE_STOCK", message)
    cost = body.unit_cost_or_none("unit_cost")
    size = _value(body, item, books, quantity=quantity, cost=cost)
    fields |= {
        "item_id": item.id,
        "account_id": account_id,
        "quantity": f"{quantity:f}",
        "unit_cost": None if cost is None else f"{cost:f}",
        "value": size if quantity > 0 else Cents(-size),
        "reason": body.text_or_none("reason"),
        "total": size,
        "status": "posted",
    }
    asset = str(item.draft.fields["asset_account_id"])
    debit, credit = (asset, account_id) if quantity > 0 else (account_id, asset)
    return dated("adjustment", fields, size, [Leg(debit, debit=size), Leg(credit, credit=size)])


def _holding_stock(body: Fields, books: Books) -> Record:
    item = record_at(body, "item_id", "item", books)
    if item.draft.fields["type"] != "inventory":
        raise body.wrong(field="item_id", problem="only items of type inventory hold stock")
    if item.draft.fields["asset_account_id"] is None:
        raise body.wrong(field="item_id", problem="this item has no asset account")
    return item


def _value(body: Fields, item: Record, books: Books, *, quantity: Decimal, cost: Decimal | None) -> Cents:
    """What comes costs what is said; what goes costs the average, as long as there is one."""
    stock = books.stock_of(item.id)
    average = stock.worth(abs(quantity))
    if average is not None and (quantity < 0 or cost is None):
        return average
    if cost is None:
        listed = item.draft.fields["cost"]
        cost = Decimal(listed) / 100 if isinstance(listed, Cents) else None
    if cost is None:
        raise body.wrong(field="unit_cost", problem="is required: nothing else says what this item costs")
    if cost < 0:
        raise body.wrong(field="unit_cost", problem="must not be below zero")
    return rounded(abs(quantity) * cost)
