"""Why a write cannot be finished now: exceptions that `workers.classify` turns into outcomes.

Exception
 ├─ NotYet         somebody is at it, or a doubt has not settled
 ├─ Conflicting    the same external_id, other amounts
 ├─ Undecided      the list changed while it was read
 └─ HeldForPerson  no look-up can tell
"""


class NotYet(Exception):
    """The write can go on after a while: somebody else is at it, or a doubt has not settled."""

    def __init__(self, reason: str, after_seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class Conflicting(Exception):
    """The same external_id was sent before with other amounts; both are named."""


class Undecided(Exception):
    """Whether Solid has the record could not be found out this time: the list changed while it was read."""


class HeldForPerson(Exception):
    """Whether Solid has the record cannot be found out: sending it again could duplicate it."""
