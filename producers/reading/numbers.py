"""Numbers as they stand in documents: what is not plainly a number is refused, and nothing is guessed.

It must not know any format.
"""

import re
from decimal import Decimal
from typing import Final

from producers.normalising import Rejected

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,16}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)


def quantity_from(text: str | None, *, field: str, mark: str = ".") -> Decimal:
    """Give a quantity written with this decimal mark and no thousands separators.

    Raises Rejected: `missing_quantity`, `bad_quantity`.
    """
    plain = (text or "").strip()
    if not plain:
        raise Rejected(reason="missing_quantity", message="a quantity is needed here, and missing", field=field)
    if mark != ".":
        plain = plain.replace(".", "x").replace(mark, ".")
    if not _NUMBER.fullmatch(plain):
        message = f"a quantity is digits with the decimal mark {mark!r} at most, and no thousands separator"
        raise Rejected(reason="bad_quantity", message=message, field=field)
    return Decimal(plain)
