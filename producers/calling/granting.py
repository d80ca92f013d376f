"""Exchanging a refresh token for a new pair at the provider: Gusto takes JSON, Xero a form with the client in a header.

Sources: Gusto's and Xero's OAuth 2.0 guides. Nothing of the answer but the tokens is used, and nothing of it is shown.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from producers.calling.calling import json_of, patiently
from producers.calling.errors import TokenRefused
from producers.calling.shapes import object_of
from producers.calling.tokens import Grant
from runtime.clock import Clock

_FINE: Final = range(200, 300)


def granting(  # noqa: PLR0913 - what a grant needs
    *,
    where: str,
    url: str,
    form: bool,
    client_id: str,
    client_secret: Callable[[], SecretStr],
    http: httpx2.AsyncClient,
    limiter: AsyncLimiter,
    clock: Clock,
) -> Grant:
    """Make the grant of one account. `form`: as OAuth 2.0 has it; else JSON with the client in the body."""

    async def grant(refresh_token: str) -> Mapping[str, Any]:
        asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        secret = client_secret().get_secret_value()
        if form:
            request = http.build_request("POST", url, data=asked)
            request = next(httpx2.BasicAuth(client_id, secret).auth_flow(request))
        else:
            request = http.build_request("POST", url, json=asked | {"client_id": client_id, "client_secret": secret})
        answer = await patiently(http, request, limiter=limiter, clock=clock, where=where)
        if answer.status_code not in _FINE:
            msg = (
                f"{where}: the provider refused to renew the token ({answer.status_code}). "
                "Authorise the relay anew at the provider and put both tokens into token_file; "
                "client_id and client_secret_file must be those of that authorisation."
            )
            raise TokenRefused(msg)
        return object_of(json_of(answer), "renewed tokens")

    return grant
