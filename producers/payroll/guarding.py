"""What keeps persons inside: how a document is opened, and what a refusal may carry when it leaves.

An exception in Python keeps the one it was raised under, even with `from None`; a parser's error holds the whole text.
So every refusal leaves through `guarded`, which drops what hangs on it. It must not know any provider.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.reading.fields import Fields, parsed

T = TypeVar("T")

GARNISHMENT: Final = re.compile(r"garnish|\b(child support|alimony|levy|bankruptcy|court|creditor)\b", re.IGNORECASE)
"""A deduction of this name is owed to a court or an agency."""

_PERSONAL_FIELD: Final = re.compile(
    r"name|ssn|tax_?id|tfn|e_?mail|phone|bank|iban|routing|birth|ni_?number|ird_?number", re.IGNORECASE
)
_NAME_OF_A_THING: Final = frozenset({"name", "displayname", "providername", "blocker_name", "taxtypename"})
_LIKE_A_NUMBER_OF_A_PERSON: Final = re.compile(r"\d{3}-\d{2}-\d{4}|\d{5,}|@|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b")
_OF_THINGS: Final = (
    "and for the pay tax income social security federal state local",
    "insurance medical dental vision life roth salary wages bonus",
    "child support garnishment health pension retirement parking commuter travel",
)
_NOT_OF_PEOPLE: Final = frozenset(" ".join(_OF_THINGS).split())
_TYPED_OFTEN: Final = (
    "deduction deductions post pre tax loan repayment advance wage order parking gym membership union dues uniform",
    "tools meals charity donation phone accident disability long short term group garnish creditor levy alimony",
    "bankruptcy court plan savings account fsa hsa ira simple dependent care supplemental",
    "regular overtime double hourly hours commission commissions severance vacation holiday sick paid time off leave",
    "reimbursement reimbursements expense expenses mileage stipend allowance tips cash retro contractor payment gross",
)
_ORDINARY: Final = _NOT_OF_PEOPLE | frozenset(" ".join(_TYPED_OFTEN).split())
_WORDS: Final = re.compile(r"[^\W\d_]{3,}")
_LONGEST_CATEGORY: Final = 80


def guarded(read: Callable[[object, NormaliseContext], Normalised]) -> Normaliser:
    """Make a normaliser of a function on a parsed document. It raises as `without_context`, and nothing else."""

    def normalise(document: bytes, context: NormaliseContext) -> Normalised:
        return without_context(lambda: read(parsed(document), context))

    return normalise


def without_context(work: Callable[[], T]) -> T:
    """Do the work; raise its Rejected with nothing hanging on it, and any other failure as `invalid_document`."""
    try:
        return work()
    except Rejected as error:
        refused = error
    except MemoryError:  # whoever limits the memory says so
        raise
    except Exception as error:  # noqa: BLE001  (what nobody thought of may hold a value of the document: it stays here)
        refused = Rejected(
            "invalid_document",
            f"cannot be read as what it says it is ({type(error).__name__}); nothing of it was used. "
            "Look at it where it came from.",
        )
    refused.__cause__ = None
    refused.__context__ = None
    refused.__traceback__ = None
    raise refused


def category(name: object, *, people: frozenset[str]) -> str | None:
    """Give a word of the document as a category; None when it has none, or one that may point to a person.

    `people` are the words of `words_of_people`: names that people gave to deductions ("Loan Smith") are not used,
    nor anything that holds a number like those of taxes or banks.
    """
    if not isinstance(name, str):
        return None
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not 0 < len(text) <= _LONGEST_CATEGORY or _LIKE_A_NUMBER_OF_A_PERSON.search(text):
        return None
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return None if people & _words(text) else text


def may_name_its_holder(name: object, *, holders: int) -> bool:
    """Whether what somebody typed for one employee alone ("Loan Smith") may be the name of that employee.

    The document need not hold the name anywhere else. Names that several have, or of ordinary words, are none.
    """
    return holders == 1 and isinstance(name, str) and bool(_words(name) - _ORDINARY)


def share_a_word(text: str, names: Iterable[str]) -> bool:
    """Whether a text holds a word of one of these names of a person."""
    words = _words(text)
    return bool(words) and any(words & _words(name) for name in names)


def words_of_people(document: object) -> frozenset[str]:
    """Collect the words of every field that names a person or a bank account, wherever it stands."""
    return frozenset(_personal(document, ""))


def _personal(value: object, key: str) -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _personal(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _personal(inner, key)
    elif isinstance(value, str) and key.lower() not in _NAME_OF_A_THING and _PERSONAL_FIELD.search(key):
        yield from _words(value)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORDS.findall(text)) - _NOT_OF_PEOPLE


def fields_of(document: object, path: str = "") -> Fields:
    """Give the fields of a JSON object. Raises Rejected `unknown_shape` for anything else."""
    if not isinstance(document, dict):
        raise Rejected("unknown_shape", "a JSON object is needed here", field=path or None)
    return Fields(document, path)
