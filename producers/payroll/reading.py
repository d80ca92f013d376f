"""Reading an export of pay runs: every run of the file versioned and told as a pulled one is.

A file that cannot be read leaves a reference (its name, and the field at fault) and nothing else of it.
"""

from dataclasses import dataclass
from typing import BinaryIO

from producers.normalising import NormaliseContext, Rejected, Taken
from producers.payroll.exports.runs import read_runs
from producers.payroll.run_book import COMPANY_CHANGED, PayrollAccount, RunBook, RunOutcome
from producers.payroll.tally import paid, same_amounts
from producers.payroll.telling import Tells
from producers.payroll.versions import key_of
from runtime.clock import Clock
from schemas.envelope import Event, decode
from store.payroll_runs import PayrollRuns, RunKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReader:
    """Reads exports of one account. With a dry teller nothing is stored or published: outcomes say what would be."""

    account: PayrollAccount
    runs: PayrollRuns
    teller: Tells
    clock: Clock

    async def take(self, file: BinaryIO, name: str, context: NormaliseContext) -> list[RunOutcome]:
        """Read a whole file, then tell its runs. Raises as `Teller`: what is left is told when it is read again."""
        await self.teller.tell_pending([context.company])
        book = RunBook(self.account, self.teller, self.clock)
        reference = RunKey(context.company, self.account.provider, self.account.name, f"file:{name}")
        try:
            pieces = list(read_runs(file, context))
            events = [event for piece in pieces for event in piece.events]
            for event in events:
                await self._refuse_other_books(key_of(event))
            for event in events:
                await self._refuse_second_reversal(event)
        except Rejected as why:
            said = f"{reference.run}: {why} Nothing of the file was used. Read it again when it is mended."
            return [await book.refused(reference, why, said=said)]
        await self.teller.advance(reference, lambda _: None)
        told = [await book.told(event) for event in sorted(events, key=lambda event: paid(event).pay_date)]
        empty = [piece for piece in pieces if piece.ignored == "zero_run"]
        return told + [await self._empty(piece, context.company) for piece in empty]

    async def _refuse_other_books(self, key: RunKey) -> None:
        """Raise Rejected where the run stands in the books of another company: it would be posted twice."""
        if (stands_in := await self.runs.elsewhere(key)) is not None:
            message = (
                f"run {key.run} of {key.entity} stands in the books of {stands_in}, and would be posted again in "
                f"those of {key.company}. Is it wrong there: relay payroll reverse --provider {key.provider} "
                f"--run {key.run} --company {stands_in}, and read the file again."
            )
            raise Rejected(COMPANY_CHANGED, message)

    async def _refuse_second_reversal(self, event: Event) -> None:
        """Raise Rejected where another reversal of the run stands: as its next version this one would undo it."""
        key, run = key_of(event), paid(event)
        stands = await self.runs.latest(key) if run.run_type == "reversal" else None
        if stands is not None and stands.live and not same_amounts(run, paid(decode(stands.event or b""))):
            message = (
                f"{key.run} was told with other amounts, and stands. Does this one put it right: relay payroll "
                f"reverse --provider {key.provider} --run {key.run}, and read the file again. Is it another "
                "reversal: give each a run number of its own."
            )
            raise Rejected("second_reversal", message)

    async def _empty(self, piece: Taken, company: str) -> RunOutcome:
        """A run of nothing but zeros: a file does not say that a run was cancelled, so a person must."""
        key = RunKey(company, self.account.provider, self.account.name, piece.where.removeprefix("run "))
        told = [row for row in await self.runs.all([company]) if row.live and row.run == key.run]
        if not told:
            message = "all amounts are zero, and nothing was told of it"
            return RunOutcome.of(key, "ignored", reason="zero_run", message=message)
        words = (f"relay payroll reverse --provider {row.provider} --run {row.run}" for row in told)
        message = f"all amounts are zero, and what was told of it stands. Was it cancelled: {' or '.join(words)}"
        return RunOutcome.of(key, "refused", reason="zero_run", message=message)
