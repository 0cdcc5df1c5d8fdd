"""Connections to PostgreSQL: few, checked before use, and never waited for without end.

    async with open_database(url, "store") as database:
        async with database.work() as connection:
            await connection.execute("select 1")

It opens while PostgreSQL is away: a service that starts in the middle of an outage waits like any other.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from shared.core.errors import Unavailable
from shared.database.errors import mapped_errors
from shared.database.pulse import Pulse

Connection = AsyncConnection[DictRow]


@dataclass(frozen=True, slots=True)
class DatabasePolicy:
    """How many connections, and how long anything may take."""

    connections: int = 4
    """Most connections of one process; the first is opened at the start, the others when wanted."""
    connect_seconds: int = 5
    """Longest time to make a connection; libpq takes whole seconds, from 2."""
    reconnect_seconds: float = 5.0
    """How long a lost connection is tried for with growing pauses; whoever asks after that begins anew at once."""
    wait_seconds: float = 5.0
    """Longest time to wait for a free connection."""
    statement_seconds: float = 10.0
    """Longest time of one statement, kept by the server: what runs longer is cancelled there."""

    @property
    def work_seconds(self) -> float:
        """Longest time of one piece of work, kept by the client: a server that is frozen cancels nothing."""
        return self.wait_seconds + 2 * self.statement_seconds


class Database:
    """A pool of connections; every error that leaves it is one of `shared.core.errors`."""

    def __init__(self, pool: AsyncConnectionPool[Connection], policy: DatabasePolicy) -> None:
        self._pool = pool
        self._policy = policy
        self._pulse = Pulse()

    @property
    def health(self) -> str:
        """What is the matter with PostgreSQL, by what work here met with; empty while all is well."""
        return self._pulse.said(time.monotonic())

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Connection]:
        """A connection in autocommit: one statement is one transaction, unless `connection.transaction()` says more."""
        number, trouble = self._pulse.begins(time.monotonic()), ""
        try:
            with mapped_errors():
                async with asyncio.timeout(self._policy.work_seconds), self._pool.connection() as connection:
                    yield connection
        except Unavailable as error:
            trouble = error.message
            raise
        finally:
            self._pulse.ends(number, time.monotonic(), trouble)

    async def rows(self, statement: LiteralString, values: Any = None) -> list[DictRow]:
        """Run one statement and fetch what it gives."""
        async with self.work() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def answers(self) -> bool:
        """Whether PostgreSQL answers now, for health. Raises Unavailable where it does not."""
        return bool(await self.rows("select 1 as one"))


@asynccontextmanager
async def open_database(
    url: str, service: str = "penstock", policy: DatabasePolicy | None = None
) -> AsyncIterator[Database]:
    """Open the pool for the length of a block; `service` is what PostgreSQL's own views call the connections."""
    policy = policy or DatabasePolicy()

    async def configure(connection: Connection) -> None:
        # Not in the start-up options: they would replace those of the address, such as its search path.
        timeout = str(int(policy.statement_seconds * 1000))
        await connection.execute("select set_config('statement_timeout', %s, false)", [timeout])

    pool = AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "application_name": f"penstock {service}",
            "connect_timeout": policy.connect_seconds,
        },
        min_size=1,
        max_size=policy.connections,
        timeout=policy.wait_seconds,
        # Not the pool's five minutes: its pauses double, and long after PostgreSQL is back it would still be waiting.
        reconnect_timeout=policy.reconnect_seconds,
        configure=configure,
        # A round trip per piece of work, so that connections which died with the server are not handed out one by one.
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    await pool.open(wait=False)
    try:
        yield Database(pool, policy)
    finally:
        await pool.close()
