"""What else moves the balance at a processor: top-ups, application fees, transfers, reserves, its own monthly charges.

Each is one entry between clearing and the role of what moved it, which the books may say otherwise. Pure.
"""

from collections.abc import Mapping
from typing import Final

from schemas.envelope import Event
from schemas.sales import BalanceMoved
from workers.books.books import HOLD, Books
from workers.plans.fees import fees
from workers.plans.ledger import Posting, book
from workers.plans.writes import Parked, Plan

ROLES_OF_MOVES: Final[Mapping[str, str]] = {
    "topup": "bank",
    "application_fee": "income",
    "application_fee_refund": "income",
    "transfer": "due_to_sellers",
    "transfer_reversal": "due_to_sellers",
    "reserve": "processor_reserve",
    "fee": "processing_fees",
    "tax_fee": "input_vat",
    "conversion": "exchange_gain_loss",
}
"""The other side of clearing by category, or by the processor's own kind, which comes first. Others are a person's."""


def balance_moved(event: Event, data: BalanceMoved, books: Books) -> Plan:
    """DR clearing / CR the role of what moved it, or the other way round; its fee apart.

    Raises:
        Parked: nobody has said what such a movement is.
    """
    day, processor = books.day_of(event.time), books.processor_of(data.fact)
    gross = data.settlement.gross
    writes = fees(data.fact, data.settlement, day, books)
    if not gross:
        return Plan(writes=writes)
    posting = Posting(debit={processor.clearing: gross}, credit={_role(data, books): gross})
    memo = f"{processor.name} {data.kind.replace('_', ' ')} {data.fact.rpartition(':')[2]}"
    return Plan(writes=(*book(data.fact, posting, day=day, memo=memo, books=books), *writes))


def _role(data: BalanceMoved, books: Books) -> str:
    processor = books.processor_of(data.fact)
    said = books.moves_of(processor.key)
    for name in (data.kind, data.category):
        role = said.get(name) or ROLES_OF_MOVES.get(name)
        if role is not None and role != HOLD:
            return role
        if role == HOLD:
            break
    reason = f"unmapped:{processor.key}_type:{data.kind}"
    figures = f"{data.settlement.gross} moved the balance as {data.kind} ({data.category})"
    table = f"[processors.{processor.key}.moves]"
    raise Parked(reason, f'{figures}: say in books.toml under {table} which role it plays, {data.kind} = "role"')
