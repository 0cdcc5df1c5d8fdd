"""The call ledger of a service: PostgreSQL, the spool while PostgreSQL is away, and the copies in Redis beside it.

    begin   lines of this request in the spool?  -> the spool answers: what is new must go behind them
            PostgreSQL there?                    -> one statement looks up and notes
            away                                 -> a copy in Redis? else the spool looks up and notes
    end     the same way, and an accepted result is copied to Redis

The order that makes a call paid once:
    1. the intent is kept: whoever comes after a crash can tell that the call may have been made
    2. the call is made
    3. its result is kept: `end` returns
    4. the handler returns, and Kafka commits what came of it
A crash before 3 repeats the call, and 1 reports it; a crash after 3 repeats nothing, for the next `begin` finds it.

PostgreSQL is away after the first statement that failed or took too long. From then on nobody waits for it, and a task
in the background tries it with the spool's own lines: a server that answers `select 1` and no more is still away.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from shared.core.budgets import Budget
from shared.core.errors import PenstockError, Unavailable
from shared.core.ledger import Begun, Intent, Recorded, State
from shared.database.group import PATIENCE, Group
from shared.database.ledger import CallsTable
from shared.database.pool import DatabasePolicy, open_database
from shared.runtime.paying.spool import Spool
from shared.runtime.process import Life
from shared.state.recorded import RecordedCopies

BRISK = DatabasePolicy(connections=3, connect_seconds=2, wait_seconds=PATIENCE, statement_seconds=PATIENCE)
"""A call waits for each statement, and there is the spool."""
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between tries of a PostgreSQL that is away; the last one again and again."""


class LedgerWatch(Protocol):
    """Who counts what the ledger does."""

    def repeated(self, intent: Intent) -> None:
        """The call is made once more, because an earlier try has no end that anybody knows."""
        ...

    def reused(self, record: Recorded) -> None:
        """A recorded result took the place of a call."""
        ...

    def ended(self, record: Recorded) -> None:
        """A try's end is kept: told once for each."""
        ...

    def gathered(self, kind: str, calls: int, seconds: float) -> None:
        """A batch of `begin` or `end` is committed."""
        ...

    def spooled(self, size: int) -> None:
        """The spool has so many bytes now."""
        ...

    def trouble(self, said: str) -> None:
        """Something out of the ordinary happened."""
        ...


class CallLedger:
    """`Ledger` of a service."""

    def __init__(self, table: CallsTable, spool: Spool, copies: RecordedCopies | None, watch: LedgerWatch) -> None:
        self._table, self._spool, self._copies, self._watch = table, spool, copies, watch
        self._begins: Group[Intent, Begun] = Group(
            table.begin, lambda intent: intent.fingerprint, lambda n, s: watch.gathered("begin", n, s)
        )
        self._ends: Group[Recorded, Recorded] = Group(
            table.end, lambda record: record.intent.fingerprint, lambda n, s: watch.gathered("end", n, s)
        )
        self._away = ""
        self._recovery: asyncio.Task[None] | None = None

    @property
    def health(self) -> str:
        """What is weaker at the moment, in one sentence; empty while all is well."""
        lines = f"{self._spool.lines:,} lines wait in the spool"
        if self._away:
            return f"the promise holds for this process only: PostgreSQL is away ({self._away}); {lines}"
        return (
            f"the promise holds for this process only, until PostgreSQL has it all: {lines}" if self._recovery else ""
        )

    async def begin(self, intent: Intent) -> Begun:
        """See `Ledger.begin`."""
        begun = await self._begin(intent)
        if begun.found is not None:
            self._watch.reused(begun.found)
        elif begun.repeat:
            self._watch.repeated(intent)
        return begun

    async def _begin(self, intent: Intent) -> Begun:
        if self._direct(intent):
            try:
                return await self._begins.add(intent)
            except Unavailable as error:
                self._lost(error)
        if intent.fingerprint not in self._spool.rows and self._copies is not None:
            copy = await self._copies.get(intent.fingerprint)
            if copy is not None:
                return Begun(copy)
        begun = await self._spool.begin(intent)
        self._spooled()
        return begun

    async def spent(self, budget: Budget) -> float:
        """US dollars that count against a budget. Raises Unavailable while PostgreSQL is away: a spool has no sums."""
        if self._away:
            raise Unavailable("database", f"PostgreSQL is away ({self._away}): spending cannot be summed")
        return await self._table.spent(budget)

    async def end(self, record: Recorded) -> Recorded:
        """See `Ledger.end`."""
        stands = await self._end(record)
        self._watch.ended(record)
        if stands.state is State.ACCEPTED and self._copies is not None:
            self._copies.put(stands)
        return stands

    async def _end(self, record: Recorded) -> Recorded:
        if self._direct(record.intent):
            try:
                return await self._ends.add(record)
            except Unavailable as error:
                self._lost(error)
        stands = await self._spool.end(record)
        self._spooled()
        return stands

    def _direct(self, intent: Intent) -> bool:
        return not self._away and intent.fingerprint not in self._spool.rows

    def _lost(self, error: Unavailable) -> None:
        if not self._away:
            self._watch.trouble(f"calls are recorded in the spool: {error.message}")
        self._away = error.message
        self.recover()

    def _spooled(self) -> None:
        self._watch.spooled(self._spool.size)
        self.recover()

    def recover(self) -> None:
        """Empty the spool in the background, as soon as PostgreSQL takes it."""
        if self._recovery is None:
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        pauses = list(PAUSES)
        while self._away or self._spool.lines:
            await asyncio.sleep(pauses.pop(0) if len(pauses) > 1 else pauses[0])
            try:
                if not self._spool.lines:
                    await self._table.database.answers()
                async for intent in self._spool.drain(self._table):
                    self._watch.repeated(intent)
                self._away = ""
            except (PenstockError, OSError) as error:
                self._away = str(error)
        self._watch.spooled(self._spool.size)
        self._watch.trouble("PostgreSQL is back, and has everything that was in the spool")
        self._recovery = None

    async def close(self) -> None:
        """Stop trying; what is in the spool stays there."""
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.wait({self._recovery})


@asynccontextmanager
async def open_ledger(life: Life, stage: str, watch: LedgerWatch) -> AsyncIterator[CallLedger]:
    """The ledger of one process of `<pipeline>.<stage>`, for its life; opens while PostgreSQL and Redis are away."""
    settings = life.settings
    spool = Spool(settings.home / "spool", stage, life.instance)
    try:
        if unreadable := await asyncio.to_thread(spool.open):
            watch.trouble(f"{unreadable} lines of spools in {settings.home / 'spool'} are unreadable, and left out")
    except OSError as error:
        watch.trouble(f"spools of earlier processes cannot be taken over: {error}")
    async with AsyncExitStack() as stack:
        stack.callback(spool.close)
        url = settings.database_url.get_secret_value()
        database = await stack.enter_async_context(open_database(url, life.instance, BRISK))
        address = settings.redis_url.get_secret_value()
        copies = await stack.enter_async_context(RecordedCopies(address)) if address else None
        ledger = CallLedger(CallsTable(database, life.instance), spool, copies, watch)
        if spool.lines:
            ledger.recover()
        stack.push_async_callback(ledger.close)
        yield ledger
