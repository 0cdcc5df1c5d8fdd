"""Accepted results in Redis: a fast copy that is asked while PostgreSQL is away, and nothing is promised of it."""

import asyncio
import time

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.core.ledger import Recorded, State, from_line, to_line
from shared.state.registry import AWAY, PATIENCE, address, in_time

PREFIX = "penstock:call:"
"""Beginning of every key; the fingerprint follows."""
KEPT_SECONDS = 900
"""How long a copy is kept: as long as an outage is likely to follow, not as long as anybody may ask."""
LARGEST = 64 << 10
"""Bytes of the largest result that is copied."""
MOST = 2000
"""Copies that wait to be written; what comes beyond is not copied."""
PAUSE = 1.0
"""Seconds for which a Redis that failed is not asked again: not every call may wait for it."""


class RecordedCopies:
    """This process's way to the copies: `async with RecordedCopies(url) as copies`."""

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        address(url)  # says what is wrong with it
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._prefix = prefix
        self._waiting: list[Recorded] = []
        self._task: asyncio.Task[None] | None = None
        self._away_until = 0.0

    async def __aenter__(self) -> "RecordedCopies":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await self._task
        await self._redis.aclose()

    def put(self, record: Recorded) -> None:
        """Copy an accepted result, some time soon; returns at once."""
        if record.state is State.ACCEPTED and len(record.result) <= LARGEST and len(self._waiting) < MOST:
            self._waiting.append(record)
            if self._task is None:
                self._task = asyncio.create_task(self._write())

    async def get(self, fingerprint: str) -> Recorded | None:
        """The copy; None where there is none, or nobody answers."""
        if self._away:
            return None
        try:
            found = from_line(await in_time(self._redis.get(self._prefix + fingerprint)) or b"{}")
        except AWAY as error:
            # No copy, or rubbish in its place, is an answer; silence is not.
            self._failed(error)
            return None
        good = isinstance(found, Recorded) and found.state is State.ACCEPTED and found.intent.fingerprint == fingerprint
        return found if good and isinstance(found, Recorded) else None

    @property
    def _away(self) -> bool:
        return time.monotonic() < self._away_until

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, ValueError):
            self._away_until = time.monotonic() + PAUSE

    async def _write(self) -> None:
        """All that waits in one go, until nothing does."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            if self._away:
                continue
            pipeline = self._redis.pipeline(transaction=False)
            for record in batch:
                pipeline.set(self._prefix + record.intent.fingerprint, to_line(record), ex=KEPT_SECONDS)
            try:
                await in_time(pipeline.execute())
            except AWAY as error:
                self._failed(error)
        self._task = None
