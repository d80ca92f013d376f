"""Stripe as a source: its events, and its webhook."""

import re
from typing import Final

from producers.normalising import NormaliseContext, Normalised
from producers.source import NoOptions, Signature, Source, Webhook
from producers.stripe import stripe
from runtime.secret_files import Shape


def _normalise(document: bytes, context: NormaliseContext) -> Normalised:
    return stripe.normalise(document, accounts=context.accounts, company=context.company, mode=context.mode)


STRIPE: Final = Source(
    name="stripe",
    document=_normalise,
    options=NoOptions,
    people=False,
    webhook=Webhook(
        signature=Signature(
            header="Stripe-Signature", field="v1", timestamp="t", signs="{timestamp}.{body}", exact=True
        ),
        secret=Shape(re.compile(r"whsec_[A-Za-z0-9+/=]{16,250}"), "whsec_ and at least 16 letters or digits"),
        identify=lambda body, _: stripe.identify(body),
        takes=frozenset({"accounts", "test_mode"}),
    ),
)
