"""Sales that are forgotten with the process: for `relay plan`, which must not need a database."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from store.claims import WriteRow
from store.sales.captures import Part, new_part
from workers.plans.writes import AnyWrite, Group, PaymentWrite, Plan
from workers.sales.exchange import PAID

COMPANY: Final = "offline"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

Body = dict[str, Any]


class MemorySales:
    """As `store.sales.told.SalesStore`; there is one company."""

    def __init__(self) -> None:
        self._bodies: dict[int, Body] = {}
        self._links: dict[str, int] = {}

    async def change(self, company: str, names: Sequence[str], work: Callable[[Sequence[Body]], Body]) -> Body:
        """See `SalesStore.change`."""
        del company
        numbers = sorted({self._links[name] for name in names if name in self._links})
        body = work([self._bodies[number] for number in numbers])
        number = numbers[0] if numbers else len(self._links)
        for other in numbers[1:]:
            self._links.update({name: number for name, sale in self._links.items() if sale == other})
        self._links.update(dict.fromkeys(names, number))
        self._bodies[number] = body
        return body

    async def any_held(self, company: str) -> bool:
        """See `SalesStore.any_held`."""
        del company
        return any(body["held"] for body in self._bodies.values())


class MemoryCaptures:
    """As `store.sales.captures.Captures`; there is one company. What is `written` is no longer under way."""

    def __init__(self, written: "MemoryInbox") -> None:
        self._written = written
        self._parts: dict[str, list[Part]] = {}
        self._pending: dict[str, dict[str, tuple[Decimal, str]]] = {}

    async def take(self, company: str, payment: str, part: Part) -> Part | None:
        """See `Captures.take`."""
        del company
        known = self._parts.setdefault(payment, [])
        own = (each for each in known if (each.event_source, each.event_id) == (part.event_source, part.event_id))
        new = next(own, None) or new_part(sorted(known, key=lambda each: each.before), part)
        if new is not None and all((each.before, each.in_all) != (new.before, new.in_all) for each in known):
            known.append(new)
        return new

    async def released(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.released`."""
        del company
        parts = self._parts.get(payment, [])
        return sum((part.released or Decimal(0) for part in parts if part.currency == currency), Decimal(0))

    async def pending(self, company: str, payment: str, *, refund: str, amount: Decimal, currency: str) -> None:
        """See `Captures.pending`."""
        del company
        self._pending.setdefault(payment, {})[refund] = (amount, currency)

    async def under_way(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.under_way`."""
        states = await self._written.state_of(company, self._pending.get(payment, {}))
        waiting = [each for refund, each in self._pending.get(payment, {}).items() if refund not in states]
        return sum((amount for amount, code in waiting if code == currency), Decimal(0))


class MemoryInbox:
    """What was planned so far, as an inbox would know it once all of it is applied."""

    def __init__(self) -> None:
        self._known: dict[str, WriteRow] = {}
        self._groups: list[tuple[str, str, Decimal]] = []

    def keep(self, plan: Plan) -> None:
        """Count a plan as applied."""
        for external_id, group in plan.groups.items():
            if external_id not in self._known:
                self._groups.append((group.key, group.amount.currency, group.amount.amount))
        for write in plan.writes:
            self._known.setdefault(write.external_id, _row(write, plan.groups.get(write.external_id)))

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`; by its external id alone."""
        return [self._known[text]] if text in self._known else []

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """See `Inbox.state_of`."""
        del company
        return {name: "applied" for name in external_ids if name in self._known}

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `Inbox.group_total`."""
        del company
        found: Iterable[Decimal] = (
            amount for key, code, amount in self._groups if (key, code) == (group_key, currency)
        )
        return sum(found, Decimal(0))

    async def knows_any(self, company: str, beginning: str) -> bool:
        """See `Inbox.knows_any`."""
        del company
        return any(name.startswith(beginning) for name in self._known)


def _row(write: AnyWrite, group: Group | None) -> WriteRow:
    paid = {PAID: str(write.paid)} if isinstance(write, PaymentWrite) and write.paid else {}
    return WriteRow(
        company=COMPANY,
        external_id=write.external_id,
        kind=write.kind,
        payload_hash=write.payload_hash,
        state="applied",
        epoch=0,
        owner=None,
        lease_until=None,
        doubt_since=None,
        was_unknown=False,
        adopted=False,
        solid_id=None,
        error_code=None,
        error_message=None,
        event_source="",
        event_id="",
        event_type="",
        subject=None,
        group_key=group.key if group else None,
        amount=group.amount.amount if group else write.amount,
        currency=group.amount.currency if group else write.currency,
        created_at=_NEVER,
        updated_at=_NEVER,
        about=paid,
    )
