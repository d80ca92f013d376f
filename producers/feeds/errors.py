"""What can go wrong with a feed.

FeedProblem
├── FolderUnusable   the folder, or a file in it, cannot be used now: missing, no permission, full, another disk
├── PollRefused      the other side said no, or something that the settings do not expect
├── PollUnavailable  the other side cannot answer now; `after_seconds` where it said when
└── Interrupted      the feed was told to stop, or the broker did not confirm: what was in hand will be read again
"""

from producers.feeds.passing import Pass


class FeedProblem(Exception):
    """Base of all problems of feeds. What was not finished is taken again; the feed goes on with its next pass.

    `found` is what the pass had settled before.
    """

    def __init__(self, message: str, *, found: Pass | None = None) -> None:
        """Keep what was settled."""
        super().__init__(message)
        self.found = found


class FolderUnusable(FeedProblem):
    """A folder or file cannot be used now."""


class PollRefused(FeedProblem):
    """Asking again in the same way would not help, unless a person changes something."""


class PollUnavailable(FeedProblem):
    """Asking again later may help."""

    def __init__(self, message: str, *, after_seconds: float | None = None) -> None:
        """Keep when the other side wants to be asked again, where it said so."""
        super().__init__(message)
        self.after_seconds = after_seconds


class Interrupted(FeedProblem):
    """It stopped in the middle; nothing is lost."""
