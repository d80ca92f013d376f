"""External ids: the name of a fact as Solid takes it. The one place that makes them."""

import hashlib
import re
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import AfterValidator

_FITS: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_MOST_SHOWN: Final = 160


def external_id_of(fact: str) -> str:
    """The fact itself where it is printable ASCII without blanks, of at most 200 characters.

    Else its readable part and a hash of all of it: two facts never share an external id, and one never has two. Safe
    to apply twice.
    """
    if _FITS.fullmatch(fact):
        return fact
    digest = hashlib.sha256(fact.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{quote(fact, safe=':/._-', errors='replace')[:_MOST_SHOWN]}~{digest}"


ExternalId = Annotated[str, AfterValidator(external_id_of)]
