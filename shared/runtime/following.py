"""Keeps what a process knows of operators' words up to date: read whole before its first record, followed to its end.

A thread of its own reads, for the client's call waits where it runs; the loop is told.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from shared.core.errors import Unavailable
from shared.kafka_port import Log

POLL_SECONDS = 0.2
"""Longest wait for a word, and so for the thread's end; a word that comes is told at once."""
PAUSE_SECONDS = 1.0
"""Pause after a failure."""
START_SECONDS = 60.0
"""How long a process waits for the words so far: it must not begin without them."""

Told = Callable[[Sequence[tuple[bytes, bytes | None]]], object]
"""Takes keys and values, on the loop."""


class Following:
    """One process's ear."""

    def __init__(self, log: Log, told: Told) -> None:
        self._log, self._told = log, told
        self._loop = asyncio.get_running_loop()
        self._ended = threading.Event()
        self._whole = asyncio.Event()
        self.trouble = ""
        """What keeps it from hearing at the moment, in one sentence."""
        self.thread = threading.Thread(target=self._follow, name="cancelled", daemon=True)

    async def whole(self) -> None:
        """Return when everything said before is known. Raises Unavailable."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._whole.wait()
        except TimeoutError as error:
            why = self.trouble or "Kafka sent nothing"
            raise Unavailable("kafka", f"what was cancelled before is not known: {why}") from error

    def weaker(self) -> dict[str, str]:
        """What does not hold at the moment, and why."""
        return (
            {"cancellations": f"`penstock cancel` does not reach this process: {self.trouble}"} if self.trouble else {}
        )

    def end(self) -> None:
        """Have the thread end."""
        self._ended.set()

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                records = self._log.poll(POLL_SECONDS)
            except Unavailable as error:
                self.trouble = error.message
                self._ended.wait(PAUSE_SECONDS)
                continue
            self.trouble = ""
            if records or (self._log.whole and not self._whole.is_set()):
                self._have_loop(records, self._log.whole)
        self._log.close()

    def _have_loop(self, records: Sequence[tuple[bytes, bytes | None]], whole: bool) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hear, records, whole)

    def _hear(self, records: Sequence[tuple[bytes, bytes | None]], whole: bool) -> None:
        self._told(records)
        if whole:
            self._whole.set()


@asynccontextmanager
async def following(log: Log, told: Told) -> AsyncIterator[Following]:
    """An ear for the length of a block; `whole` says when everything said before is known."""
    ear = Following(log, told)
    ear.thread.start()
    try:
        yield ear
    finally:
        ear.end()
        await asyncio.to_thread(ear.thread.join)
