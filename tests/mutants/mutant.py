"""A mutant: one safety measure, broken in one place. Pure: text in, text out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


class DoesNotFit(Exception):
    """The code was changed and the mutant was not: its text is not there, or there more than once."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit, the promise that it breaks, and the tests that must notice.

    `old` stands exactly once in `file` (a path from the project's root) and becomes `new`. `caught_by` are pytest's
    names of tests, the cheapest first; `needs_broker` says that they start a RabbitMQ, and are run on their own.
    """

    name: str
    promise: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]
    needs_broker: bool = False

    def broken(self, source: str) -> str:
        """The file's text with the safety measure broken.

        Raises:
            DoesNotFit: the text to replace is not there exactly once, or what results is no Python.
        """
        found = source.count(self.old)
        if found != 1:
            msg = (
                f"the mutant {self.name} no longer fits the code: {self.file} has {found} times instead of once\n"
                f"{self.old}\nChange the mutant in tests/mutants as the code was changed, or take it out."
            )
            raise DoesNotFit(msg)
        result = source.replace(self.old, self.new)
        try:
            compile(result, self.file, "exec")
        except SyntaxError as error:
            msg = f"the mutant {self.name} makes {self.file} unreadable: {error}"
            raise DoesNotFit(msg) from error
        return result

    def break_in(self, root: Path) -> None:
        """Break the copy of the project that is in `root`. Raises DoesNotFit."""
        path = root / self.file
        path.write_text(self.broken(path.read_text(encoding="utf-8")), encoding="utf-8")


def catchers_of(mutants: Sequence[Mutant]) -> Iterator[str]:
    """Every test that is to catch one of them, once, in the order of the table."""
    yield from dict.fromkeys(test for mutant in mutants for test in mutant.caught_by)
