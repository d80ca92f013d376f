"""What is posted of the tax of a sale, of what came from a customer's credit, and of what was paid elsewhere. Pure.

The money of a sale is posted by its charge (`workers.plans.sales`). What here is posted beside it has units of its own:
whoever tells them, and however often, each is posted once. Which of them a sale needs is decided in `workers.sales`.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from schemas.envelope import Event
from schemas.money import Money, iso_exponent
from schemas.told import CreditVoided, PaymentExpected, SaleCredited, SaleLinked, SaleTold, TaxPart
from workers.books.books import Books
from workers.plans.ledger import Posting, account_of, book
from workers.plans.writes import AnyWrite, ContactWrite, EntryWrite, InvoiceWrite, Line, Plan, SoldLine

TAX, INCOME, CREDIT, RETURNS = "sales_tax_payable", "income", "customer_credit", "sales_returns"


def sale_told(event: Event, data: SaleTold, books: Books) -> Plan:
    """The tax out of income, credit that was used or given, and an unpaid invoice of what was paid elsewhere.

    Tax in another currency than that of the books is posted by what reached the balance: see `workers.sales`.
    """
    day = books.day_of(event.time)
    outside = paid_outside(data, day=day, books=books)
    if books.base_currency not in {None, data.total.currency} and not data.from_balance and not outside:
        return Plan()
    tax = () if _all_outside(data) else tax_alone(data, data.tax, day=day, books=books)
    return Plan(writes=(*tax, *from_balance(data, day=day, books=books), *outside))


def sale_linked(event: Event, data: SaleLinked, books: Books) -> Plan:
    """Nothing where it says which money is which invoice's; an unpaid invoice of what was paid elsewhere."""
    if not data.outside:
        return Plan()
    told = SaleTold(
        fact=f"{books.processor_of(data.fact).key}:invoice:{data.invoice}",
        invoice=data.invoice,
        total=data.amount,
        paid=Money.zero(data.amount.currency),
        paid_outside=data.amount,
    )
    return Plan(writes=paid_outside(told, day=books.day_of(event.time), books=books))


def sale_credited(event: Event, data: SaleCredited, books: Books) -> Plan:
    """DR Sales Returns / CR Customer Credit for what is still owed to the customer; refunds are told by themselves."""
    owed = data.to_balance + data.outside
    writes = book(
        data.fact,
        Posting(debit={RETURNS: owed}, credit={CREDIT: owed}),
        day=books.day_of(event.time),
        memo=f"{books.processor_of(data.fact).name} credit note {data.credit_note}",
        books=books,
    )
    return Plan(writes=writes)


def credit_voided(event: Event, data: CreditVoided, books: Books) -> Plan:
    """Nothing by itself: what the credit note has posted is taken back."""
    del event, data, books
    return Plan()


def payment_expected(event: Event, data: PaymentExpected, books: Books) -> Plan:
    """Nothing: it is waited for the charge, which posts."""
    del event, data, books
    return Plan()


def tax_alone(data: SaleTold, tax: Money, *, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """DR Income / CR Sales Tax Payable, by tax code: of a sale that was posted whole."""
    shares = by_code(data.taxes, tax)
    memo = f"{books.processor_of(data.fact).name} {name_of(data)}: sales tax"
    return tax_entry(f"{data.fact}:tax", shares, against=INCOME, day=day, memo=memo, books=books)


def tax_entry(  # noqa: PLR0913 - one keyword a column
    external_id: str, shares: Mapping[str | None, Money], *, against: str, day: date, memo: str, books: Books
) -> tuple[AnyWrite, ...]:
    """DR a role / CR the tax of each code (the other way round where it is negative), whatever accounts codes have."""
    total = _sum(shares.values())
    if total is None or not total:
        return ()
    sides = [(TAX, tax_account(books, code, share), share.amount, code) for code, share in shares.items() if share]
    sides.append((against, account_of(books, against, total), -total.amount, None))
    lines = tuple(_line(*side) for side in sorted(sides, key=lambda side: side[2] > 0))
    return (
        EntryWrite(
            external_id=external_id,
            date=day,
            currency=total.currency,
            memo=memo,
            lines=lines,
            totals={TAX: total.amount, against: -total.amount},
        ),
    )


def from_balance(data: SaleTold, *, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """DR Customer Credit / CR Income of what credit paid; the reverse of what the sale put onto the balance."""
    used = data.from_balance
    if used is None or not used:
        return ()
    memo = f"{books.processor_of(data.fact).name} {name_of(data)}: customer balance"
    posting = Posting(debit={CREDIT: used}, credit={INCOME: used})
    return book(f"{data.fact}:balance", posting, day=day, memo=memo, books=books)


def paid_outside(data: SaleTold, *, day: date, books: Books) -> tuple[AnyWrite, ...]:
    """An invoice that nothing pays here; its tax stands in it where all of the sale was paid elsewhere."""
    amount = data.paid_outside
    if amount is None or not amount:
        return ()
    processor = books.processor_of(data.fact)
    contact = _contact(data, amount=amount, day=day, books=books)
    lines = sold_lines(data, amount, data.tax, books=books) if _all_outside(data) else ()
    invoice = InvoiceWrite(
        external_id=f"{data.fact}:outside",
        date=day,
        currency=amount.currency,
        memo=f"{processor.name} {name_of(data)}: paid outside of {processor.name}",
        total=amount.amount,
        contact=contact.external_id,
        role=INCOME,
        account=account_of(books, INCOME, amount),
        lines=lines,
    )
    return (contact, invoice)


def sold_lines(data: SaleTold, amount: Money, tax: Money, *, books: Books) -> tuple[SoldLine, ...]:
    """The lines of an invoice of `amount`, of which `tax` is tax: what was sold, and the tax of each code."""
    if not tax and not data.lines:
        return ()
    net = amount - tax
    told = [line for line in data.lines if line.amount]
    whole = _sum(line.amount for line in told) == net
    account = account_of(books, INCOME, amount)
    items = [_item(line.item, line.product, books) for line in told]
    lines = (
        [
            SoldLine(role=INCOME, account=account, amount=line.amount.amount, item_id=item)
            for line, item in zip(told, items, strict=True)
        ]
        if whole
        else [SoldLine(role=INCOME, account=account, amount=net.amount)]
    )
    for code, share in by_code(data.taxes, tax).items():
        if share:
            account = tax_account(books, code, share)
            lines.append(SoldLine(role=TAX, account=account, amount=share.amount, tax_code=code))
    return tuple(line for line in lines if line.amount)


def tax_back(  # noqa: PLR0913 - one keyword a column
    external_id: str, of: SaleTold, tax: Money, *, against: str, day: date, books: Books
) -> tuple[AnyWrite, ...]:
    """DR Sales Tax Payable / CR what the sale was taken back from, by tax code; negative tax is given again."""
    memo = f"{books.processor_of(external_id).name} {name_of(of)}: sales tax back"
    return tax_entry(external_id, by_code(of.taxes, -tax), against=against, day=day, memo=memo, books=books)


def tax_account(books: Books, code: str | None, amount: Money) -> str:
    """The account of the tax of one code. Raises Parked as `account_of` does."""
    named = books.sales.tax_codes.get(code or "")
    usual = account_of(books, TAX, amount) if named is None else ""
    return named or usual


def by_code(taxes: Iterable[TaxPart], tax: Money) -> dict[str | None, Money]:
    """An amount of tax as the codes share it, to the cent: in proportion, the remainder on the last."""
    told: dict[str | None, Money] = {}
    for each in taxes:
        told[each.code] = told.get(each.code, Money.zero(each.amount.currency)) + each.amount
    whole = _sum(told.values())
    if whole is None or not whole:
        return {None: tax}
    found, run, given = dict[str | None, Money](), Money.zero(whole.currency), Money.zero(tax.currency)
    for code, part in told.items():
        run += part
        found[code] = share_of(tax, run, whole) - given
        given += found[code]
    return found


def share_of(amount: Money, part: Money, whole: Money) -> Money:
    """The part of an amount that `part` is of `whole`, to the currency's cent."""
    cents = amount.amount * part.amount / whole.amount
    return Money.of(rounded(cents, amount.currency), amount.currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the minor unit of the currency, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-iso_exponent(currency)), rounding=ROUND_HALF_UP)


def name_of(data: SaleTold) -> str:
    """How a sale is called in memos."""
    return f"invoice {data.invoice}" if data.invoice else f"checkout {data.session}"


def _all_outside(data: SaleTold) -> bool:
    return bool(data.paid_outside) and data.paid_outside == data.total


def _item(item: str | None, product: str | None, books: Books) -> str | None:
    named = (books.sales.items.get(name) for name in (item, product) if name is not None)
    found = next(filter(None, named), None)
    return None if found is None else books.items.get(found, found)


def _line(role: str, account: str, credit: Decimal, tax_code: str | None) -> Line:
    side = {"credit": credit} if credit > 0 else {"debit": -credit}
    return Line(role=role, account=account, tax_code=tax_code, **side)


def _sum(amounts: Iterable[Money]) -> Money | None:
    found = list(amounts)
    return sum(found[1:], found[0]) if found else None


def _contact(data: SaleTold, *, amount: Money, day: date, books: Books) -> ContactWrite:
    processor = books.processor_of(data.fact)
    known = data.customer
    return ContactWrite(
        external_id=f"{processor.key}:customer:{known}" if known else f"{processor.key}:walk-in",
        date=day,
        currency=amount.currency,
        memo=f"{processor.name} customer {known}" if known else f"{processor.name} walk-in customer",
        display_name=known or books.walk_in_customer or f"{processor.name} sales",
    )
