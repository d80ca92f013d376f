"""The envelope: CloudEvents 1.0 in structured JSON, and the profile of it that the relay speaks.

The profile asks for more than CloudEvents does: `time`, `subject`, `partitionkey` and `data` are required,
and the type is one of the catalog. It must not carry anything of a broker (headers, attempts, routing
keys).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    model_validator,
)

from schemas.attributes import Attribute, check_attributes, check_identity, check_length, parse_time
from schemas.catalog import EVENT_TYPES, TYPE_OF, data_schema_uri
from schemas.dates import Instant
from schemas.errors import InvalidEvent, InvalidJson, UnknownEventType
from schemas.event_data import EventData, Text
from schemas.json_text import parse_json
from schemas.problems import first_problem

CONTENT_TYPE: Final = "application/cloudevents+json"
"""The media type of an encoded event."""

DEFAULT_COMPANY: Final = "main"


class Event(BaseModel):
    """One fact, with where it comes from. `(source, id)` is its identity: a redelivery has the same pair.

    `time` is when it happened, aware, in UTC. `company` says whose books; `partitionkey` the entity whose
    order matters. `data` is of the model that the catalog gives for `type`. `extensions` keeps attributes
    that we do not know. Build one with `Event.of`; read one with `decode`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: Text
    source: Text
    type: Text
    time: Instant
    subject: Text
    datacontenttype: Text = "application/json"
    dataschema: Text | None = None
    company: Text = DEFAULT_COMPANY
    partitionkey: Text
    traceparent: Text | None = None
    extensions: Mapping[str, Attribute] = Field(default_factory=dict)
    data: SerializeAsAny[EventData]

    @model_validator(mode="after")
    def _data_is_of_the_type(self) -> Self:
        if EVENT_TYPES.get(self.type) is not type(self.data):
            msg = f"data of {self.type} cannot be {type(self.data).__name__}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _extensions_are_attributes(self) -> Self:
        if self.extensions.keys() & (_KNOWN | {"data", "extensions"}):
            msg = "an extension cannot have the name of a known attribute"
            raise ValueError(msg)
        check_identity(self.id, self.source, self.type)
        for name in ("subject", "partitionkey", "company"):
            check_length(name, getattr(self, name))
        if self.extensions:
            required = {"specversion": "1.0", "id": self.id, "source": self.source, "type": self.type}
            check_attributes({**self.extensions, **required})
        return self

    @classmethod
    def of(  # noqa: PLR0913  (one keyword an attribute of the envelope)
        cls,
        data: EventData,
        *,
        id: str,  # noqa: A002  (the attribute's name in CloudEvents)
        source: str,
        time: datetime,
        subject: str,
        partitionkey: str,
        company: str = DEFAULT_COMPANY,
        traceparent: str | None = None,
    ) -> "Event":
        """Wrap data of the catalog; its type and schema follow from its class. Raises ValidationError."""
        event_type = TYPE_OF[type(data)]
        return cls(
            id=id,
            source=source,
            type=event_type,
            time=time,
            subject=subject,
            dataschema=data_schema_uri(event_type),
            company=company,
            partitionkey=partitionkey,
            traceparent=traceparent,
            data=data,
        )


def encode(event: Event) -> bytes:
    """Write the event as structured JSON in UTF-8, absent attributes left out; always the same bytes."""
    document: dict[str, object] = {
        name: value
        for name, value in event.model_dump(mode="json", exclude={"extensions", "data", "time"}).items()
        if value is not None
    }
    document |= dict(sorted(event.extensions.items()))
    document["time"] = _time_text(event.time)
    document["data"] = event.data.model_dump(mode="json", exclude_none=True)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def decode(raw: bytes) -> Event:
    """Read an event of the catalog.

    Raises InvalidEvent; its kind UnknownEventType when the envelope is in order but the catalog has no such
    type. No message holds a value of the payload.
    """
    document = _parsed(raw)
    attributes = check_attributes(document)
    event_type = str(attributes["type"])
    model = EVENT_TYPES.get(event_type)
    if model is None:
        raise UnknownEventType(event_type)
    _check_profile(attributes)
    body = cast("dict[str, object]", document).get("data")
    if body is None:
        msg = "required as JSON, and missing"
        raise InvalidEvent(msg, field="data")
    data = _validated(model, body, prefix="data")
    return _validated(Event, {**_event_fields(attributes), "data": data})


M = TypeVar("M", bound=BaseModel)

_KNOWN: Final = frozenset(Event.model_fields) - {"extensions", "data"}
_PROFILE: Final = ("time", "subject", "partitionkey")


def _parsed(raw: bytes) -> object:
    try:
        return parse_json(raw)
    except InvalidJson as error:
        raise InvalidEvent(str(error)) from None


def _check_profile(attributes: Mapping[str, Attribute]) -> None:
    for name in _PROFILE:
        if name not in attributes:
            msg = "required by this relay, and missing"
            raise InvalidEvent(msg, field=name)
    media_type = str(attributes.get("datacontenttype", "application/json")).partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        msg = "this relay reads JSON data only"
        raise InvalidEvent(msg, field="datacontenttype")


def _event_fields(attributes: Mapping[str, Attribute]) -> dict[str, object]:
    fields: dict[str, object] = {name: value for name, value in attributes.items() if name in _KNOWN}
    fields["extensions"] = {name: value for name, value in attributes.items() if name not in _KNOWN}
    fields["time"] = parse_time(str(attributes["time"]))
    return fields


def _validated(model: type[M], value: object, *, prefix: str = "") -> M:
    """Validate, and turn pydantic's error, which holds the input, into one that names the field only."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problem = first_problem(error, under=prefix or None)
        raise InvalidEvent(problem.message, field=problem.field) from None


def _time_text(time: datetime) -> str:
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
