"""Signing a body as Stripe does, apart from the relay's own way of checking it."""

import hashlib
import hmac


def signature(body: bytes, secret: str, at: int) -> str:
    """Stripe's header for a body. `at` is in seconds since 1970."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
