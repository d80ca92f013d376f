"""Every source there is, in one visible table: its name and the function that normalises its documents.

To add a source, write its normaliser and add its line here; nothing registers itself.
"""

from collections.abc import Mapping
from typing import Final

from producers.normalising import NormaliseContext, Normalised, Normaliser
from producers.webhooks import stripe


def _stripe(document: bytes, context: NormaliseContext) -> Normalised:
    return stripe.normalise(document, accounts=context.accounts, company=context.company)


SOURCES: Final[Mapping[str, Normaliser]] = {
    "stripe": _stripe,
}
