"""Where spans wait to be sent: a queue with an end, and one thread. Nobody who does work ever waits for it.

    no room            the span is dropped, and counted
    it cannot be sent  those of one request are lost, and counted; health says why
    the end comes      what is left has a moment, then the process ends without it

A backend that is away, slow or hangs can so cost spans, and nothing else.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.observe.logs import logger
from shared.observe.tracing.spans import Span

SENT, LOST, DROPPED = "sent", "lost", "dropped"
"""What becomes of a span."""

log = logger("tracing")


class Exporter(Protocol):
    """Sends spans."""

    def send(self, spans: Sequence[Span]) -> str:
        """Send them; gives why that failed, empty where it did not."""
        ...

    def close(self) -> None:
        """Give up what is under way; safe on any thread."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxPolicy:
    """How much waits, and how long."""

    most: int = 8192
    """Spans that wait; what comes then is dropped."""
    batch: int = 512
    """Spans of one request."""
    pace: float = 3000.0
    """Spans a second that are sent at most: to encode more would take the work its processor time."""
    every: float = 0.5
    """Seconds between looks, where no batch is full before."""
    end_seconds: float = 1.5
    """How long the end of the process may wait for what is left."""
    end_in_trouble: float = 0.2
    """The same where nothing could be sent lately anyway."""


class Outbox:
    """The queue and its thread; `counted` is told what became of how many, on any thread."""

    def __init__(
        self, exporter: Exporter, counted: Callable[[str, int], None], policy: OutboxPolicy | None = None
    ) -> None:
        self.trouble = ""
        """Why nothing can be sent at the moment; empty where it can."""
        self._exporter, self._counted, self._policy = exporter, counted, policy or OutboxPolicy()
        self._waiting: deque[Span] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracing", daemon=True)

    def open(self) -> None:
        """Begin to send."""
        self._thread.start()

    @property
    def full(self) -> bool:
        """There is no room."""
        return len(self._waiting) >= self._policy.most

    def drop(self, records: int) -> None:
        """Count what was not even made."""
        self._counted(DROPPED, records)

    def give(self, span: Span) -> None:
        """Take a span, or drop it; returns at once."""
        if self.full or self._closing.is_set():
            self._counted(DROPPED, 1)
            return
        self._waiting.append(span)
        if len(self._waiting) >= self._policy.batch and not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Send what is left, if that goes at once; a request that hangs is left behind."""
        self._closing.set()
        self._wake.set()
        policy = self._policy
        self._thread.join(policy.end_in_trouble if self.trouble else policy.end_seconds)
        self._exporter.close()
        if left := len(self._waiting):
            self._waiting.clear()
            self._counted(DROPPED, left)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._policy.every)
            self._wake.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while batch := self._batch():
            why = self._sent(batch)
            if bool(why) != bool(self.trouble):
                log.warning("spans are lost" if why else "spans are sent again", why=why)
            # Before they are counted: whoever sees that some are lost finds here why.
            self.trouble = why
            self._counted(LOST if why else SENT, len(batch))
            self._closing.wait(len(batch) / self._policy.pace)

    def _batch(self) -> list[Span]:
        batch: list[Span] = []
        while len(batch) < self._policy.batch:
            try:
                batch.append(self._waiting.popleft())
            except IndexError:
                break
        return batch

    def _sent(self, batch: Sequence[Span]) -> str:
        try:
            return self._exporter.send(batch)
        except Exception as error:  # noqa: BLE001  see below
            # A thread has no caller: without this one span that cannot be encoded would end all tracing unnoticed.
            return f"{type(error).__name__}: {error}"
