"""What a worker of one company is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from messaging.bucket import Bucket
from messaging.connection import Link
from messaging.mint import Mint
from messaging.publisher import Publisher
from runtime.clock import Clock
from runtime.settings import WorkerSettings
from solid.client import SolidClient
from solid.dialect import Dialect
from store.inbox import Inbox
from store.sales.captures import Captures
from store.sales.summaries import SummaryStore
from store.sales.told import SalesStore
from store.stock import StockStore
from workers.applying import Applier
from workers.books.books import Books
from workers.earlier import Earlier
from workers.sales.closing import Closer
from workers.stock.merging import Merger
from workers.sweeping import Sweeper


@dataclass(slots=True)
class Parts:
    """What a worker is made of, put together in `ops.composing.companies`.

    `count` hears of each delivery: company, stream, outcome.
    """

    consuming: Link
    publisher: Publisher
    bucket: Bucket
    mint: Mint
    solid: SolidClient
    dialect: Dialect
    inbox: Inbox
    captures: Captures
    applier: Applier
    sweeper: Sweeper
    stock: StockStore
    sales: SalesStore
    earlier: Earlier
    merger: Merger
    summaries: SummaryStore
    closer: Closer
    books: Books
    company: str
    settings: WorkerSettings
    retry_delays: Sequence[float]
    clock: Clock
    count: Callable[[str, str | None, str], None] = lambda *_: None
