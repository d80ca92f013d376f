"""What a source is: one frozen value that holds all that the relay knows of it, and the parts of that value.

Settings, secrets, replays, checks and companies follow from it; the only table of them is `producers/sources.py`. It
must not read a file, a clock or a socket.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, Literal, Protocol, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from producers.currencies import of_its_time, refuse_gone
from producers.normalising import FileReader, NormaliseContext, Normalised, Normaliser, Piece, Refused, Rejected, Taken
from producers.reading.documents import split_documents
from runtime.errors import ConfigurationError
from runtime.secret_files import TOKEN, Shape
from schemas.envelope import Event

if TYPE_CHECKING:  # these take a while to import, and the process that reads one large file needs none of them
    from producers.calling.calling import Caller
    from producers.payroll.provider import Provider
    from runtime.sections_payroll import PayrollSettings
    from runtime.sections_webhooks import WebhookSettings

_PARTS: Final = re.compile(r"\{(body|url|timestamp)\}")
_Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]
_Field = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
_FieldOrHeader = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class NoOptions(BaseModel):
    """Of a source that has no options: whatever is said is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Signature(BaseModel):
    """How bodies are signed: an HMAC of `signs` under a secret, as text in `header`.

    `signs` is what is signed, with `{body}` (the bytes as they came), `{url}` (the address at which the sender calls)
    and `{timestamp}` (the time as the sender wrote it). `field`: the header holds `name=value` pairs with `,` or `;`
    between, and the signatures are those of this name; without it the whole header is one signature. `timestamp` is
    where the signed time stands, in seconds since 1970: the only pair of that name, or where there is none, a header.
    It may be `tolerance_seconds` away from now, before or after. `exact`: as Stripe's own library has it, commas alone
    part pairs, blanks count, hex is in lower case, and the time is a pair.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: _Header
    signs: Annotated[str, Field(max_length=200)] = "{body}"
    encoding: Literal["hex", "base64"] = "hex"
    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"
    field: _Field | None = None
    timestamp: _FieldOrHeader | None = None
    tolerance_seconds: int = Field(default=300, gt=0)
    exact: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """What is signed, piece by piece: plain text, and at every second place `body`, `url` or `timestamp`."""
        return tuple(_PARTS.split(self.signs))

    @property
    def over_url(self) -> bool:
        """Whether the address is signed too."""
        return "url" in self.parts[1::2]

    @field_validator("signs")
    @classmethod
    def _holds_the_body(cls, signs: str) -> str:
        if "{body}" not in signs or "{" in _PARTS.sub("", signs):
            raise ValueError("must hold {body}, and may hold {url} and {timestamp}")
        return signs

    @model_validator(mode="after")
    def _time_is_signed(self) -> Self:
        if ("timestamp" in self.parts[1::2]) != (self.timestamp is not None):
            msg = "timestamp and the {timestamp} of signs go together: a time that is not signed proves nothing"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Arrived:
    """An authentic body, with its headers (looked up by lower-case name) and when it came."""

    body: bytes
    headers: Mapping[str, str]
    at: datetime


Identify: TypeAlias = Callable[[bytes, Mapping[str, str]], tuple[str | None, str | None]]
"""Gives the sender's event id and type for logs, from body and headers. Never raises."""


class Whose(Protocol):
    """Says whose books a body is for; here, of one that says everything itself. Both methods raise Rejected."""

    @property
    def told(self) -> str:
        """What `relay check` says of it."""
        return ""

    def arrived(self, _: Arrived, context: NormaliseContext) -> NormaliseContext | str:
        """In which context a body is normalised, or why it has no event."""
        return context

    def again(self, _body: bytes, _reason: str, context: NormaliseContext) -> NormaliseContext:
        """In which context a body that was kept for this reason is normalised when a person sends it again."""
        return context


class ByTheBody(Whose):
    """Where the body says everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What a source's own webhook is, so that its table in `relay.toml` need not say it; by default, of one with none.

    `secret` is what its signing secrets look like; `told` gives a body without what says how it was delivered; `takes`
    are the settings of `WebhookSettings` that mean something to this source alone.
    """

    signature: Signature | None = None
    secret: Shape = TOKEN
    identify: Identify = lambda _body, _headers: (None, None)
    told: Callable[[bytes], bytes] = lambda body: body
    takes: frozenset[str] = frozenset()
    whose: "Callable[[WebhookSettings, str], Whose]" = lambda _table, _company: ByTheBody()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """How access tokens that expire are renewed: by whom, and where beside a base URL that is set.

    `form`: as OAuth 2.0 has it; else JSON with the client in the body.
    """

    url: str
    path: str
    form: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """How a provider of pay runs is asked. `needs` are the settings of an account without which it cannot be.

    `renewal` is None where tokens do not expire. `client` is given what calls, the account, and the API's version.
    """

    base_url: str
    calls_per_minute: int
    client: "Callable[[Caller, PayrollSettings, str], Provider]"
    api_version: str = ""
    renewal: Renewal | None = None
    needs: tuple[str, ...] = ("token_file", "client_id", "client_secret_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All that the relay knows of one source. Nothing about it stands anywhere else.

    It has one of two: `read` reads a file piece by piece; `document` takes one document of a provider, whose ids are
    the same whichever way it comes: a file of several is cut up first, and no fact has the name of a feed.
    `people`: its documents hold people's data, so they may never lie in a queue (`refuse_people`). `webhook` is its
    own, if it has one, `pulled` how it is asked for pay runs. `lists` are the names under which an answer of the
    provider holds several documents.
    """

    name: str
    read: FileReader | None = None
    document: Normaliser | None = None
    options: type[BaseModel]
    people: bool
    webhook: Webhook | None = None
    pulled: Pulled | None = None
    lists: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raises TypeError: it has neither or both."""
        if (self.read is None) == (self.document is None):
            raise TypeError(f"{self.name}: a source has either read or document")

    def pieces(self, file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
        """The parts of a file, with `facts_of` of the context in the name of each fact; documents one by one.

        So whoever fills one feed cannot use up the names of another's facts. Raises Rejected.
        """
        if self.read is None:
            for number, document in enumerate(split_documents(file.read(), lists=self.lists), start=1):
                yield self._whole(f"document {number}", document, context)
            return
        for piece in map(of_its_time, self.read(file, context)):
            if isinstance(piece, Taken) and context.facts_of:
                yield replace(piece, events=tuple(_under(context.facts_of, event) for event in piece.events))
            else:
                yield piece

    def _whole(self, where: str, document: bytes, context: NormaliseContext) -> Taken | Refused:
        try:
            normalised = self.normalise(document, context)
        except Rejected as rejected:
            return rejected.at(where)
        return Taken(where, normalised.events, normalised.ignored)

    def normalise(self, document: bytes, context: NormaliseContext) -> Normalised:
        """One document, whole or not at all. Raises Rejected."""
        if self.document is not None:
            whole = self.document(document, context)
            for event in whole.events:
                refuse_gone(event)
            return Normalised(whole.events, None if whole.events else whole.ignored or None)
        taken: list[Taken] = []
        for piece in self.pieces(BytesIO(document), context):
            if isinstance(piece, Taken):
                taken.append(piece)
            elif not piece.is_warning:
                raise Rejected(piece.reason, piece.message, field=piece.field)
        events = tuple(event for piece in taken for event in piece.events)
        ignored = next((piece.ignored for piece in taken if piece.ignored), None)
        return Normalised(events, ignored=None if events else ignored)


def refuse_people(source: Source) -> None:
    """Asked wherever a feed or a webhook is made: what it cannot read comes to lie in a dead-letter queue.

    Raises ConfigurationError: the documents of the source hold people's data.
    """
    if source.people:
        msg = f"{source.name} names people, and a pay run that changes has versions"
        raise ConfigurationError(f"{msg}: pull pay runs with [payroll], or relay payroll read FILE (docs/payroll.md)")


def _under(name: str, event: Event) -> Event:
    facts = {field: getattr(event.data, field, None) for field in ("fact", "of")}
    data = event.data.model_copy(update={field: f"{name}/{fact}" for field, fact in facts.items() if fact})
    return event.model_copy(update={"id": f"{name}/{event.id}", "data": data})
