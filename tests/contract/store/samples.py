"""Short ways to say an event, an intent and a letter."""

from decimal import Decimal

from store.inbox import Claim, EventRef, Inbox, Intent
from store.letters.dead_letters import Letter

COMPANY = "main"
EVENT = EventRef(source="/webhooks/stripe", id="evt_1", type="sales.payment.succeeded.v1", subject="ch_1")
PAYMENT = "stripe:charge:ch_1:payment"


def intent(external_id: str = PAYMENT, payload_hash: str = "hash-1", **rest: object) -> Intent:
    """An intent to write a payment; `amount` may be given as text."""
    amount = rest.pop("amount", None)
    return Intent(
        external_id=external_id,
        kind="payment",
        payload_hash=payload_hash,
        amount=None if amount is None else Decimal(str(amount)),
        **rest,  # type: ignore[arg-type]  # fields of any type
    )


async def claim(inbox: Inbox, wanted: Intent | None = None, event: EventRef = EVENT) -> Claim:
    """Claim one write."""
    [answer] = await inbox.claim(COMPANY, event, [wanted or intent()])
    return answer


def letter(letter_id: str = "letter-1", **rest: object) -> Letter:
    """A dead letter."""
    facts: dict[str, object] = {
        "id": letter_id,
        "queue": "sales.dead",
        "reason": "refused",
        "error": "Solid said no",
        "attempts": 3,
        "headers": {"x-attempt": 3},
        "body": b"\x00{}\xff",
    }
    return Letter(**(facts | rest))  # type: ignore[arg-type]  # fields of any type
