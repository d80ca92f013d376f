"""A webhook that cannot be used yet, as its file of secrets is missing, say; the others are taken."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from producers.webhooks.intake import Hook
from runtime.errors import ConfigurationError

log = structlog.get_logger()


@dataclass(slots=True)
class WaitingHook:
    """Tries at each request to make its webhook. `problem` is what was wrong last."""

    name: str
    path: str
    make: Callable[[], Hook]
    problem: str = ""

    def made(self) -> Hook | None:
        """The webhook, once it can be made; what keeps it from that is said once, until it is something else."""
        try:
            hook = self.make()
        except ConfigurationError as error:
            if str(error) != self.problem:
                self.problem = str(error)
                log.error("webhook.source_stopped", source=self.name, error=self.problem, waits=True)  # noqa: TRY400 - it says it all
            return None
        if self.problem:
            log.info("webhook.source_started", source=self.name)
        return hook
