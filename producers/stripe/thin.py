"""Thin events: notifications of Stripe's that hold no object, only its name.

`v1.charge.succeeded` tells that there is a `charge.succeeded`; those of the second version of Stripe's API (`v2.…`)
have types of their own. Without the object nothing can be booked.
"""

import re
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields
from producers.stripe.outside import READ, moves_money, outside

THIN: Final = "thin_event"
"""Why it is kept: what it tells of must be fetched with a key."""

_TYPE: Final = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,150}", re.ASCII)
_FIRST: Final = "v1."


def thin_type(document: Fields) -> str | None:
    """Give the type of a thin event, without the `v1.` before a type of old; None where it is no thin one.

    One of a type of old may come without saying what it is.
    """
    value = document.get("type")
    if not isinstance(value, str) or not _TYPE.fullmatch(value):
        return None
    if document.get("object") != "v2.core.event" and not value.startswith(_FIRST):
        return None
    return value.removeprefix(_FIRST)


def thin(stripe_type: str, context: NormaliseContext, *, is_read: bool) -> Normalised:
    """What becomes of a thin event. Raises Rejected `thin_event`: it moves money, or its object might.

    Where Stripe is read with a key, what it tells of is read there.
    """
    if is_read and context.is_read:
        return Normalised((), ignored=READ)
    if is_read and not moves_money(stripe_type):
        message = f"it tells that there is a {stripe_type}, without it: set stripe.api_key_file, or take snapshots"
        raise Rejected(THIN, message, field="related_object")
    return outside(stripe_type, context)
