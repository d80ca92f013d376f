"""What can go wrong in the store.

StoreError
├── StoreUnavailable   the database is locked, full, gone or out of reach: stop work, nothing is lost
│   └── WrongStore     it is another store than the last one, or an older state of it: post nothing
├── Raced              others wrote the same rows at the same moment, again and again
├── SchemaTooNew       a newer relay has migrated this database: upgrade this one
├── LeaseLost          the write is no longer ours to settle: somebody claimed it after us
│   └── Summarised     somebody has recorded it as a line of a summary: it may not be sent by itself
├── NotInDoubt         a person's word about a write that needs none, or not yet
├── LetterNotFound     no dead letter has this id
├── BodySealed         the key that a dead letter lies under is missing
└── AmbiguousId        several dead letters start with these characters
"""

from collections.abc import Sequence


class StoreError(Exception):
    """Base of all store errors."""


class StoreUnavailable(StoreError):
    """The database cannot be used now. What the failed call meant to store may or may not be stored.

    Every call of the store may raise it. What was committed before is not lost: stop taking work, try later.
    """


class WrongStore(StoreUnavailable):
    """The inbox of a company is not the one that was last seen, or has gone back in time. Nothing may be posted.

    `cause` is what the brake shows: `another_store` or `store_went_back`.
    """

    def __init__(self, company: str, cause: str) -> None:
        super().__init__(company, cause)
        self.company = company
        self.cause = cause

    def __str__(self) -> str:
        """What happened, and what to do."""
        what = {
            "another_store": "the store is not the one that was last used: another file or database, or a new one",
            "store_went_back": "the store has gone back in time: it lacks what was written last",
        }[self.cause]
        return (
            f"{self.company}: {what}. Nothing is posted. Join the right store (store.url), or, if this one is to stay, "
            f"say so: relay restored --company {self.company}"
        )


class Raced(StoreError):
    """Others kept changing the same rows; the transaction was tried several times and rolled back."""


class SchemaTooNew(StoreError):
    """The database carries a schema this version of the relay does not know."""


class LeaseLost(StoreError):
    """The claim with this epoch no longer holds: another claim came after it, or it was settled already."""

    def __init__(self, company: str, external_id: str, epoch: int) -> None:
        super().__init__(f"{company}/{external_id}: the claim with epoch {epoch} no longer holds; drop its result")


class Summarised(LeaseLost):
    """Another worker has recorded the write as a line of a summary since it was looked at: look again."""

    def __init__(self, company: str, external_id: str) -> None:
        StoreError.__init__(self, f"{company}/{external_id}: it is a line of a summary since; it is not sent by itself")


class NotInDoubt(StoreError):
    """Nothing is to be decided about this write now."""

    def __init__(self, external_id: str, state: str | None) -> None:
        if state is None:
            super().__init__(f"no write has the external id {external_id!r}; `relay doubts list` shows those in doubt")
        else:
            super().__init__(
                f"{external_id} is {state}, and nothing can be decided about it now: it is applied, a worker is at it, "
                f"or what was sent may still land. `relay trace {external_id}` tells more; or try again in two minutes."
            )


class LetterNotFound(StoreError):
    """No dead letter has this id, and none starts with it."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"no dead letter has the id {wanted!r}; `relay dead list` shows them")


class BodySealed(StoreError):
    """The body of a dead letter cannot be opened; `mark` is the fingerprint of its key."""

    def __init__(self, mark: str, why: str) -> None:
        super().__init__(
            f"a dead letter's body is sealed, and its key {mark} {why}. Put the key that sealed it back into the file "
            "of store.body_key_file, on a line below the newest; `relay check` lists the keys that are needed."
        )
        self.mark = mark


class AmbiguousId(StoreError):
    """Several dead letters start with the given characters."""

    def __init__(self, wanted: str, candidates: Sequence[str]) -> None:
        super().__init__(f"{wanted!r} fits several dead letters ({', '.join(candidates)}, …); give more characters")
        self.candidates = tuple(candidates)
