"""What is not publicly known of Solid's API, as switches.

The defaults are the conservative ones; pure data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args, get_type_hints

from simulator.books.money import MoneyDialect
from simulator.errors import SwitchError

PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this Solid speaks.

    `payload_key`: where a success carries its data; `resource` is the name of the resource itself.
    `entries_external_id_filter`: what `?external_id=` does on every list except `/invoices`, which always
    filters. `external_id`: `unique_409` refuses a second one of the same kind; `dropped` forgets it (the
    judge does not). `contact_match`: how `?display_name=` compares; `contains` ignores case. `overpayment`:
    what happens to an application above an invoice's balance. `entries`: does `GET /entries` show the entries
    behind invoices, payments and bills too. `openapi`: does `/openapi.json` need the key. `adjustments`: is there
    `/inventory-adjustments`. `negative_stock`: what becomes of an adjustment that takes more than there is.
    """

    payload_key: Literal["data", "result", "resource"] = "data"
    money: MoneyDialect = "decimal_string"
    pagination: Literal["page", "offset", "cursor", "none", "silent_cap"] = "page"
    entries_external_id_filter: Literal["ignored", "supported", "400"] = "ignored"
    external_id: Literal["kept", "unique_409", "dropped"] = "kept"
    contact_match: Literal["exact", "contains", "icase"] = "contains"
    overpayment: Literal["refused", "credit"] = "refused"
    entries: Literal["all", "journal_only"] = "all"
    openapi: Literal["key", "open"] = "key"
    adjustments: Literal["absent", "offered"] = "absent"
    negative_stock: Literal["refused", "allowed"] = "refused"

    def changed(self, changes: Mapping[str, Any]) -> "Dialect":
        """A dialect with these fields changed. Raises SwitchError on a field or value that does not exist."""
        for name, value in changes.items():
            known = CHOICES.get(name)
            if known is None:
                msg = f"dialect.{name}: no such field; known: {', '.join(CHOICES)}"
                raise SwitchError(msg)
            if value not in known:
                msg = f"dialect.{name}: {value!r} is not one of {', '.join(known)}"
                raise SwitchError(msg)
        return replace(self, **changes)


CHOICES: Final[dict[str, tuple[str, ...]]] = {
    field.name: get_args(get_type_hints(Dialect)[field.name]) for field in fields(Dialect)
}
