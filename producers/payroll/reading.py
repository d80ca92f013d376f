"""Reading an export of pay runs: every run of the file versioned and told as a pulled one is.

A file that cannot be read leaves a reference (its name, and the field at fault) and nothing else of it.
"""

from collections.abc import Sequence
from typing import BinaryIO

from producers.normalising import FileReader, NormaliseContext, Refused, Rejected, Taken
from producers.payroll.content import same_amounts
from producers.payroll.run_book import COMPANY_CHANGED, PayrollAccount, RunBook, RunOutcome
from producers.payroll.telling import Tells
from producers.payroll.versions import key_of, paid
from runtime.clock import Clock
from schemas.envelope import Event, decode
from store.payroll_runs import PayrollRuns, RunKey


class ExportReader:
    """Reads exports of one account. With a dry teller nothing is stored or published: outcomes say what would be."""

    def __init__(
        self, *, account: PayrollAccount, read: FileReader, runs: PayrollRuns, teller: Tells, clock: Clock
    ) -> None:
        self._account = account
        self._read = read
        self._runs = runs
        self._teller = teller
        self._book = RunBook(account, teller, clock)

    async def take(self, file: BinaryIO, name: str, context: NormaliseContext) -> list[RunOutcome]:
        """Read a whole file, then tell its runs. Safe to repeat: a run that says the same is not told again.

        Raises:
            StoreUnavailable, PublishFailed: the rest of the file is told when it is read again.
        """
        await self._teller.tell_pending([context.company])
        reference = RunKey(context.company, self._account.provider, self._account.name, f"file:{name}")
        try:
            pieces = list(self._read(file, context))
        except Rejected as rejected:
            return [await self._refused(reference, rejected)]
        for why_not in (await self._in_other_books(pieces), await self._second_reversal(pieces)):
            if why_not is not None:
                return [await self._refused(reference, why_not)]
        faults = [piece for piece in pieces if isinstance(piece, Refused)]
        if faults:
            message = f"{faults[0].where}: {faults[0].message}"
            return [await self._refused(reference, Rejected(faults[0].reason, message))]
        await self._teller.advance(reference, lambda _: None)
        return await self._told(pieces, context.company)

    async def _in_other_books(self, pieces: Sequence[Taken | Refused]) -> Rejected | None:
        """Why a run of the file is not told: it stands in the books of another company, and would be posted twice."""
        for key in map(key_of, _events(pieces)):
            if (stands_in := await self._runs.elsewhere(key)) is not None:
                message = (
                    f"run {key.run} of {key.entity} stands in the books of {stands_in}, and would be posted again in "
                    f"those of {key.company}. Is it wrong there: relay payroll reverse --provider {key.provider} "
                    f"--run {key.run} --company {stands_in}, and read the file again."
                )
                return Rejected(COMPANY_CHANGED, message)
        return None

    async def _second_reversal(self, pieces: Sequence[Taken | Refused]) -> Rejected | None:
        """Why a reversal is not told: another one of the run stands, and as its next version this would undo it."""
        for event in _events(pieces):
            key, run = key_of(event), paid(event)
            stands = await self._runs.latest(key) if run.run_type == "reversal" else None
            if stands is not None and stands.live and not same_amounts(run, paid(decode(stands.event or b""))):
                message = (
                    f"{key.run} was told with other amounts, and stands. Does this one put it right: relay payroll "
                    f"reverse --provider {key.provider} --run {key.run}, and read the file again. Is it another "
                    "reversal: give each a run number of its own."
                )
                return Rejected("second_reversal", message)
        return None

    async def _told(self, pieces: Sequence[Taken | Refused], company: str) -> list[RunOutcome]:
        taken = [piece for piece in pieces if isinstance(piece, Taken)]
        events = sorted(_events(pieces), key=lambda event: paid(event).pay_date)
        told = [await self._book.told(event) for event in events]
        return told + [await self._empty(piece, company) for piece in taken if piece.ignored == "zero_run"]

    async def _empty(self, piece: Taken, company: str) -> RunOutcome:
        """A run of nothing but zeros: a file does not say that a run was cancelled, so a person must."""
        run = piece.where.removeprefix("run ")
        told = [row for row in await self._runs.all([company]) if row.live and row.run == run]
        message = "all amounts are zero, and nothing was told of it"
        if told:
            words = (f"relay payroll reverse --provider {row.provider} --run {row.run}" for row in told)
            message = f"all amounts are zero, and what was told of it stands. Was it cancelled: {' or '.join(words)}"
        return RunOutcome(
            company=company,
            entity=self._account.name,
            run=run,
            became="refused" if told else "ignored",
            reason="zero_run",
            message=message,
        )

    async def _refused(self, key: RunKey, why: Rejected) -> RunOutcome:
        said = f"{key.run}: {why} Nothing of the file was used. Read it again when it is mended."
        return await self._book.refused(key, why, said=said)


def _events(pieces: Sequence[Taken | Refused]) -> list[Event]:
    return [event for piece in pieces if isinstance(piece, Taken) for event in piece.events]
