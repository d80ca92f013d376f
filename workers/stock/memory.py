"""Records that are forgotten with the process: for `relay plan`, which must not need a database."""

from collections.abc import Sequence

from store.stock import Body, OtherContent, Recording, StockFact


class MemoryRecords:
    """As `store.stock.StockStore`; there is one company."""

    def __init__(self) -> None:
        self.cards: dict[str, Body] = {}
        self._movements: dict[str, list[Body]] = {}
        self._told: dict[str, list[Body]] = {}
        self._facts: dict[str, tuple[str, StockFact]] = {}

    async def knows(self, company: str, fact: str) -> bool:
        """See `StockStore.knows`."""
        del company
        return fact in self._facts

    async def movements(self, company: str, fact: str) -> Sequence[Body]:
        """See `StockStore.movements`."""
        del company
        names = [name for name in self._told if name == fact or name.startswith(f"{fact}~")]
        return [body for name in names for body in self._told[name]]

    async def tell_again(self, company: str, batch: str) -> int:
        """See `StockStore.tell_again`; nothing is merged here."""
        del company, batch
        return 0

    async def record(self, recording: Recording) -> StockFact:
        """See `StockStore.record`."""
        known = self._facts.get(recording.fact)
        if known is not None:
            if known[0] != recording.content_hash:
                raise OtherContent(known[1])
            return known[1]
        cards = {item: self.cards.get(item, {}) for item in recording.items}
        histories = {item: self._movements.get(item, []) for item in recording.needs_history(cards)}
        decided = recording.decide(cards, histories)
        self.cards.update(decided.cards)
        for movement in decided.movements:
            self._movements.setdefault(movement.item, []).append(movement.body)
            self._told.setdefault(recording.fact, []).append(movement.body)
        event = recording.event
        fact = StockFact(
            recording.company,
            recording.fact,
            recording.day,
            decided.postings,
            "own",
            None,
            event.source,
            event.id,
            event.type,
            event.subject,
        )
        self._facts[recording.fact] = (recording.content_hash, fact)
        return fact
