"""What the simulator says no with. The codes are our own: Solid's are not publicly known."""


class ApiError(Exception):
    """A refusal that goes to the caller in the envelope as `error.code` and `error.message`."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int | None = None) -> None:
        """Keep what the answer needs; `retry_after` is in whole seconds."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


class SwitchError(ValueError):
    """A request to the control port that cannot be carried out; nothing was changed."""


class JournalError(ValueError):
    """A journal file that cannot be read back; the books are not opened."""


def invalid(message: str) -> ApiError:
    """A body or a query that does not say what it should."""
    return ApiError(422, "VALIDATION_ERROR", message)


def not_found(what: str) -> ApiError:
    """No such path or record."""
    return ApiError(404, "NOT_FOUND", f"{what} was not found")
