"""What is wrong with a value that a model refuses, without the value: pydantic's own error keeps the input."""

from dataclasses import dataclass

from pydantic import ValidationError


@dataclass(frozen=True, slots=True)
class Problem:
    """The first field at fault: its dotted path (None: the whole), pydantic's type of error, and why."""

    field: str | None
    kind: str
    message: str


def first_problem(error: ValidationError, *, under: str | None = None) -> Problem:
    """Give the first field at fault and why; `under` leads its path."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in ((under, *first["loc"]) if under else first["loc"]))
    return Problem(path or None, first["type"], first["msg"])
