"""The identifiers of GS1: which item and lot an EPC or a class names, and which party a location number.

One product has many spellings (URN, Digital Link under any host); all of them become its 14-digit GTIN. It must not
know events.
"""

import re
from typing import Final
from urllib.parse import unquote

from producers.reading.texts import clean

_URN_ITEM: Final = re.compile(
    r"urn:epc:(?:id|class|idpat):(?P<scheme>sgtin|lgtin):(?P<prefix>[0-9]{6,12})\.(?P<item>[0-9]{1,7})(?:\.(?P<rest>.+))?",
    re.ASCII,
)
_LINK_ITEM: Final = re.compile(
    r"https?://[^?#\s]+?/01/(?P<gtin>[0-9]{8}|[0-9]{12,14})(?:/22/[^/?#]+)?(?:/10/(?P<lot>[^/?#]+))?(?:/21/[^/?#]+)?/?(?:[?#].*)?",
    re.ASCII | re.DOTALL,
)
_URN_PARTY: Final = re.compile(r"urn:epc:id:(?:sgln|pgln):([0-9]{6,12})\.([0-9]{0,6})(?:\..*)?", re.ASCII)
_LINK_PARTY: Final = re.compile(r"https?://[^?#\s]+?/(?:414|417)/([0-9]{13})(?:[/?#].*)?", re.ASCII | re.DOTALL)
_CARRIER: Final = re.compile(
    r"urn:epc:id(?:pat)?:(?:sscc|grai|giai|sgln|gsrn|gdti|gsin|ginc):.*|https?://[^?#\s]+?/(?:00|8003|8004|414)/[^/]+.*",
    re.DOTALL,
)
_TRANSACTION: Final = re.compile(r"urn:epcglobal:cbv:bt:[0-9]+:(.+)")
_QUERY: Final = re.compile(r"[?#]")
_VOCABULARY: Final = re.compile(
    r"(?:urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt):"
    r"|https?://(?:(?:ref|ns|www)\.)?gs1\.org/(?:cbv|voc)/(?:bizstep|disp|btt|sdt)-"
    r"|(?:cbv|gs1):(?:bizstep|disp|btt|sdt)[-:])?([a-z][a-z_]{1,39})",
    re.IGNORECASE | re.ASCII,
)
_GTIN_BODY: Final = 13
_GLN_BODY: Final = 12

"""None of these may read a text over and over again: whatever follows is taken by a part that takes all of it."""


def word(value: object) -> str:
    """Give the plain word of a business step, disposition or type, however it is spelt; a foreign one as it is."""
    value = alone(value)
    if not isinstance(value, str):
        return ""
    found = _VOCABULARY.fullmatch(value)
    return found.group(1).lower() if found else (clean(value) or "")


def alone(value: object) -> object:
    """Give the one value of a list of one, as JSON-LD may write it; anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def goods(identifier: str) -> tuple[str, str | None] | None:
    """Give item and lot of an EPC or an EPC class; None for what carries goods and is none: a pallet, a crate, a place.

    An identifier of no GTIN names an item by itself.
    """
    if (urn := _URN_ITEM.fullmatch(identifier)) and len(urn["prefix"] + urn["item"]) == _GTIN_BODY:
        lot = clean(unquote(urn["rest"])) if urn["scheme"] == "lgtin" and urn["rest"] else None
        return _checked(urn["item"][0] + urn["prefix"] + urn["item"][1:]), lot
    if link := _LINK_ITEM.fullmatch(identifier):
        return link["gtin"].zfill(_GTIN_BODY + 1), clean(unquote(link["lot"])) if link["lot"] else None
    if _CARRIER.fullmatch(identifier):
        return None
    named = clean(identifier)
    return (named, None) if named else None


def party(identifier: str) -> str:
    """Give the 13-digit GLN of a party or place, or the identifier itself where it holds none."""
    if (urn := _URN_PARTY.fullmatch(identifier)) and len(urn[1] + urn[2]) == _GLN_BODY:
        return _checked(urn[1] + urn[2])
    link = _LINK_PARTY.fullmatch(identifier)
    return link[1] if link else identifier.strip()


def transaction(identifier: str) -> str | None:
    """Give the number of a business transaction: the end of a CBV URN or of a web address, else all of it."""
    urn = _TRANSACTION.fullmatch(identifier)
    end = urn[1] if urn else _end_of_address(identifier)
    return clean(identifier if end is None else unquote(end))


def _end_of_address(text: str) -> str | None:
    """The last part of the path of a web address; None for what is none, or has no path."""
    scheme, _, rest = text.partition("://")
    host, _, path = _QUERY.split(rest, maxsplit=1)[0].removesuffix("/").partition("/")
    return path.rpartition("/")[2] or None if scheme in {"http", "https"} and host else None


def _checked(digits: str) -> str:
    """Add the check digit of GS1: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"
