"""What can go wrong between the relay and Solid, and what each error says about the write.

SolidError
├── Unavailable        systemic: no call would do better now; wait, use no attempt
├── OutcomeUnknown     the call left and no answer to trust came back: look up before sending again
├── Refused            Solid said no and wrote nothing: sending the same again is pointless
│   ├── PeriodClosed   refused because of the date: the period is closed, or an accountant has a copy
│   └── RefusedInDoubt a no of whoever, perhaps after a yes: true only once a look-up has found nothing
└── DialectMismatch    the API does not speak the configured dialect: nothing is to be posted

Messages never hold the API key or a request body. What Solid itself says is cut, put on one line and freed of
the key. Source: the table "Which failure goes where" of the architecture page. Translation is in
`solid.answers`, in one place.
"""

from typing import Literal

Cause = Literal["closed", "unauthorised", "rate_limited", "unavailable"]
"""Why nothing works at the moment: app closed, key refused, allowance used up, or an answer 502, 503 or 504."""

Stage = Literal["sending", "waiting", "answer"]
"""How far a call came: being sent, waiting for the answer, or having an answer that says nothing."""


class SolidError(Exception):
    """Base of all errors of `solid`."""


class Unavailable(SolidError):
    """Solid takes no calls at the moment, whichever call it is.

    `retry_after` is seconds, where the answer named a time. `sent` says whether a doubt remains: True where a
    body had left and whoever answered may not be who did the work; False means nothing was done.
    """

    def __init__(
        self, cause: Cause, message: str = "", *, retry_after: float | None = None, sent: bool = False
    ) -> None:
        """Keep the facts beside the message."""
        super().__init__(message or cause)
        self.cause: Cause = cause
        self.retry_after = retry_after
        self.sent = sent


class OutcomeUnknown(SolidError):
    """The call left the machine; whether Solid did it is not known. For a GET that is harmless: ask again."""

    def __init__(self, stage: Stage, message: str = "") -> None:
        """Keep the stage beside the message."""
        super().__init__(message or stage)
        self.stage: Stage = stage


class Refused(SolidError):
    """Solid understood the call and did not do it.

    `code` is Solid's `error.code`; `http_<status>` where it gave none, `redirect` for an answer that points
    elsewhere. `message` is Solid's `error.message`, `status` the HTTP status (which may be 200). With status 0 it
    was not asked: the dialect has no endpoint for the record (`no_endpoint`), or cannot write it (`cannot_be_written`).
    """

    def __init__(self, code: str, message: str, *, status: int) -> None:
        """Keep the facts; the text of the error names all of them."""
        super().__init__(f"{code}: {message}" + (f" (HTTP {status})" if status else ""))
        self.code = code
        self.message = message
        self.status = status


class PeriodClosed(Refused):
    """Refused on its date. Never answered by sending another date: a setting or a person decides."""


class RefusedInDoubt(Refused):
    """A no that proves nothing: to a write (look the record up before it is believed), or to the reading of a list.

    So is every no but one in Solid's own envelope with a code that the dialect knows. Source: decision record 0025.
    """


class DialectMismatch(SolidError):
    """Solid's answers do not have the shape that the dialect says; the message names the setting."""
