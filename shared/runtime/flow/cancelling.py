"""What a process does about operators' words: nothing of a cancelled document is begun, and what runs is stopped.

    about to be begun    it ends instead: a dictionary is asked about each event
    at work              its task is cancelled where it waits, so that an open model call is closed at once; the ledger
                         keeps the call's intent, for whether it is billed nobody can tell
    waits                for its time or for a dependency: it goes on now, and so ends

A stage that writes results is not stopped in the middle: whether PostgreSQL has the row by then nobody could tell. And
what such a stage has written before a crash is not cancelled afterwards. All of it lives on the loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.core.cancellation import CANCELLED, Cancellation, Cancellations
from shared.core.outcome import Cancelled
from shared.core.results import Results
from shared.pipelines.ended import ended

AGAIN_SECONDS = 0.1
"""When a handler is told once more that has not stopped: it may have been inside something that goes on regardless."""


@dataclass(slots=True)
class Cancelling:
    """All that one process knows of cancellations, and who is at work."""

    known: Cancellations = field(default_factory=Cancellations)
    """Every word so far."""
    results: Results | None = None
    """The table of results, where the stage writes to it."""
    recall: Callable[[], object] = lambda: None
    """Has those that wait look whether they are meant."""
    _at_work: "dict[Stop, None]" = field(default_factory=dict)

    def told(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """These words came: stop what is meant."""
        for key, value in records:
            self.known.learn(key, value)
        for stop in self._at_work if self.results is None else ():
            if (word := self.known.of(stop.event)) is not None:
                stop.now(word)
        self.recall()

    def at_work(self, event: Any) -> "Stop":
        """Stand around a handler's work on an event: `with`."""
        return Stop(self._at_work, event)

    async def of(self, events: Mapping[int, Any]) -> dict[int, Cancellation]:
        """The words under which some of many events fall. Raises Unavailable where it cannot be told what is done."""
        if not self.known:
            return {}
        found = {number: word for number, event in events.items() if (word := self.known.of(event)) is not None}
        if not found or self.results is None:
            return found
        names = {number: (events[number].document_id, getattr(events[number], "event_id", "")) for number in found}
        done = await self.results.brought(list(names.values()))
        return {number: word for number, word in found.items() if names[number][1] not in done}


@dataclass(slots=True, eq=False)
class Stop:
    """One handler's work on one event."""

    among: "dict[Stop, None]"
    """All that are at work."""
    event: Any
    """What is worked on."""
    word: Cancellation | None = None
    """Why it was stopped; None: it was not."""
    _task: "asyncio.Task[Any] | None" = None
    _again: asyncio.TimerHandle | None = None

    def __enter__(self) -> "Stop":
        self._task = asyncio.current_task()
        self.among[self] = None
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        del self.among[self]
        if self.word is None:
            return False
        if self._again is not None:
            self._again.cancel()
        while self._task is not None and self._task.cancelling():
            self._task.uncancel()
        return isinstance(error, Exception | asyncio.CancelledError)

    def now(self, word: Cancellation) -> None:
        """Stop it where it waits."""
        if self.word is None:
            self.word = word
            self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._again = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._cancel)


def ending(event: Any, word: Cancellation, now: datetime) -> Cancelled:
    """The outcome of an event that falls under a word."""
    return Cancelled(ended(event, event.document_id, CANCELLED, word.said, now), word.said)
