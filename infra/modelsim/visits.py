"""The provider's own record of each request: when it came, and when it was answered or left by whoever had sent it."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive

from infra.modelsim.sending import until_given_up

KEPT = 20_000
"""Requests that are remembered, the newest."""
SHOWN = 160
"""Characters of a document that are kept: enough to know it by."""


@dataclass(slots=True)
class Visit:
    """One request."""

    model: str
    """Model id."""
    document: str
    """How the document begins."""
    began: float
    """When it came, UNIX seconds."""
    ended: float | None = None
    """When it was over; None: it is not."""
    left: bool = False
    """Whoever had sent it went away before it was answered."""

    def over(self, *, left: bool = False) -> None:
        """It is over; the first word stands."""
        if self.ended is None:
            self.ended, self.left = time.time(), left


@dataclass(slots=True)
class Visits:
    """All that are remembered."""

    kept: deque[Visit] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Oldest first."""

    @contextmanager
    def enter(self, model: str, document: str) -> Iterator[Visit]:
        """A request comes, and is over at the end of the block at the latest."""
        visit = Visit(model, document[:SHOWN], time.time())
        self.kept.append(visit)
        try:
            yield visit
        finally:
            visit.over()

    def report(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [{name: getattr(visit, name) for name in Visit.__slots__} for visit in self.kept]


async def attended(visit: Visit, receive: Receive, seconds: float) -> None:
    """Let the time pass that an answer takes, and note when nobody waits for it any more."""
    gone = asyncio.ensure_future(until_given_up(receive))

    def left(task: "asyncio.Future[None]") -> None:
        if not task.cancelled():
            visit.over(left=True)

    gone.add_done_callback(left)
    try:
        await asyncio.sleep(seconds)
    finally:
        gone.cancel()
