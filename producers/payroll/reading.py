"""Reading an export of pay runs: every run of the file versioned and told as a pulled one is.

A file that cannot be read leaves a reference (its name, and the field at fault) and nothing else of it.
"""

from collections.abc import Sequence
from typing import BinaryIO

from producers.normalising import FileReader, NormaliseContext, Refused, Rejected, Taken
from producers.payroll.pulling import COMPANY_CHANGED, Account, Outcome
from producers.payroll.telling import Teller
from producers.payroll.versions import following_paid, key_of, paid
from schemas.envelope import Event
from store.payroll_runs import PayrollRuns, Reference, RunKey


class Reader:
    """Reads exports of one account. Without a teller nothing is stored or published: outcomes say what would be."""

    def __init__(self, *, account: Account, read: FileReader, runs: PayrollRuns, teller: Teller | None) -> None:
        self._account = account
        self._read = read
        self._runs = runs
        self._teller = teller

    async def take(self, file: BinaryIO, name: str, context: NormaliseContext) -> list[Outcome]:
        """Read a whole file, then tell its runs. Safe to repeat: a run that says the same is not told again.

        Raises:
            StoreUnavailable, PublishFailed: the rest of the file is told when it is read again.
        """
        if self._teller is not None:
            await self._teller.tell_pending()
        reference = RunKey(context.company, self._account.provider, self._account.name, f"file:{name}")
        try:
            pieces = list(self._read(file, context))
        except Rejected as rejected:
            return [await self._refused(reference, rejected)]
        if (moved := await self._in_other_books(pieces)) is not None:
            return [await self._refused(reference, moved)]
        faults = [piece for piece in pieces if isinstance(piece, Refused)]
        if faults:
            message = f"{faults[0].where}: {faults[0].message}"
            return [await self._refused(reference, Rejected(reason=faults[0].reason, message=message))]
        if self._teller is not None:
            await self._runs.advance(reference, lambda _: None)
        return await self._told(pieces, context.company)

    async def _in_other_books(self, pieces: Sequence[Taken | Refused]) -> Rejected | None:
        """Why a run of the file is not told: it stands in the books of another company, and would be posted twice."""
        for key in (key_of(event) for piece in pieces if isinstance(piece, Taken) for event in piece.events):
            if (stands_in := await self._runs.elsewhere(key)) is not None:
                message = (
                    f"run {key.run} of {key.entity} stands in the books of {stands_in}, and would be posted again in "
                    f"those of {key.company}. Is it wrong there: relay payroll reverse --provider {key.provider} "
                    f"--run {key.run} --company {stands_in}, and read the file again."
                )
                return Rejected(reason=COMPANY_CHANGED, message=message)
        return None

    async def _told(self, pieces: Sequence[Taken | Refused], company: str) -> list[Outcome]:
        taken = [piece for piece in pieces if isinstance(piece, Taken)]
        events = [event for piece in taken for event in piece.events]
        told = [await self._paid(event) for event in sorted(events, key=lambda event: paid(event).pay_date)]
        return told + [await self._empty(piece, company) for piece in taken if piece.ignored == "zero_run"]

    async def _empty(self, piece: Taken, company: str) -> Outcome:
        """A run of nothing but zeros: a file does not say that a run was cancelled, so a person must."""
        run = piece.where.removeprefix("run ")
        told = [row for row in await self._runs.all([company]) if row.live and row.run == run]
        message = "all amounts are zero, and nothing was told of it"
        if told:
            words = (f"relay payroll reverse --provider {row.provider} --run {row.run}" for row in told)
            message = f"all amounts are zero, and what was told of it stands. Was it cancelled: {' or '.join(words)}"
        return Outcome(
            company=company,
            entity=self._account.name,
            run=run,
            became="refused" if told else "ignored",
            reason="zero_run",
            message=message,
        )

    async def _paid(self, event: Event) -> Outcome:
        key, run = key_of(event), paid(event)
        following = following_paid(event, deadline=self._account.deadline(run.pay_date))
        if self._teller is None:
            would = following(await self._runs.latest(key))
            version = None if would is None else would.version
        else:
            row = await self._runs.advance(key, following)
            await self._teller.tell([] if row is None else [row])
            version = None if row is None else row.version
        return Outcome(
            company=key.company,
            entity=key.entity,
            run=key.run,
            became="unchanged" if version is None else "told",
            version=version,
            pay_date=run.pay_date,
        )

    async def _refused(self, key: RunKey, error: Rejected) -> Outcome:
        reference = Reference(state="refused", reason=error.reason, field=error.field)
        if self._teller is not None:
            if await self._runs.is_new(key, reference):
                await self._teller.put_before_a_person(
                    key,
                    source=f"/payroll/{self._account.name}/reference",
                    reason=error.reason,
                    field=error.field,
                    error=f"{key.run}: {error} Nothing of the file was used. Read it again when it is mended.",
                )
            await self._runs.refer(key, reference)
        return Outcome(
            company=key.company,
            entity=key.entity,
            run=key.run,
            became="refused",
            reason=error.reason,
            field=error.field,
            message=str(error),
        )
