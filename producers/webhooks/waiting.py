"""A webhook that cannot be verified yet, as its file of secrets is missing or wrong; the others are taken."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from producers.webhooks.intake import Source
from runtime.errors import ConfigurationError

log = structlog.get_logger()


@dataclass(slots=True)
class WaitingSource:
    """Tries at each request to make its source. `problem` is what was wrong last."""

    name: str
    path: str
    make: Callable[[], Source]
    problem: str = ""

    def made(self) -> Source | None:
        """The source, once it can be made; what keeps it from that is said once, until it is something else."""
        try:
            source = self.make()
        except ConfigurationError as error:
            if str(error) != self.problem:
                self.problem = str(error)
                log.error("webhook.source_stopped", source=self.name, error=self.problem, waits=True)  # noqa: TRY400 - it says it all
            return None
        if self.problem:
            log.info("webhook.source_started", source=self.name)
        return source
