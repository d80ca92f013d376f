"""What `relay check` finds: one sentence a thing looked at, and whether it is right."""

from collections.abc import Awaitable
from dataclasses import dataclass, field

from messaging.errors import MessagingError
from runtime.settings import ConfigurationError
from solid.errors import SolidError
from store.errors import StoreError
from workers.plans.writes import Parked

PATIENCE_SECONDS = 30
EXPECTED = (ConfigurationError, Parked, MessagingError, StoreError, SolidError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what is wrong with it, if anything.

    A note is not wrong, but somebody should know it.
    """

    what: str
    ok: bool
    text: str
    note: bool = False


@dataclass(slots=True)
class Checklist:
    """Findings in the order in which they were made; `of` is the company that is looked at, where there are several."""

    of: str = ""
    findings: list[Finding] = field(default_factory=list)

    async def look(self, what: str, work: Awaitable[str]) -> bool:
        """Do one piece of work; an expected error is a finding, not an end."""
        try:
            text = await work
        except EXPECTED as error:
            self.wrong(what, str(error) or f"no answer in {PATIENCE_SECONDS} s")
            return False
        self.findings.append(Finding(self._named(what), ok=True, text=text))
        return True

    def right(self, what: str, text: str) -> None:
        """Put down that a thing is right."""
        self.findings.append(Finding(self._named(what), ok=True, text=text))

    def wrong(self, what: str, *texts: str) -> None:
        """Put down what is wrong, a finding each."""
        self.findings += [Finding(self._named(what), ok=False, text=text) for text in texts]

    def note(self, what: str, *texts: str) -> None:
        """Put down what is not wrong but should be known, a finding each."""
        self.findings += [Finding(self._named(what), ok=True, text=text, note=True) for text in texts]

    def _named(self, what: str) -> str:
        return f"{self.of}: {what}" if self.of else what
