"""The slots of a process as its model calls hold them: a bulkhead, and the clock it goes by."""

import time
from collections.abc import Callable

from shared.core.bulkhead import Bulkhead, BulkheadPolicy


class RunningCalls:
    """Counts the calls that run, by model."""

    def __init__(self, policy: BulkheadPolicy | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds and never goes back."""
        self._bulkhead = Bulkhead(policy or BulkheadPolicy())
        self._clock = clock

    def enter(self, dependency: str) -> int | None:
        """Begin a call; None where the dependency hangs and holds all that it may."""
        return self._bulkhead.enter(dependency, self._clock())

    def leave(self, dependency: str, number: int, *, answered: bool) -> None:
        """A call ended, with an answer of any kind or without one."""
        self._bulkhead.leave(dependency, number, self._clock(), answered=answered)

    def set_aside(self) -> int:
        """Slots beyond half that hanging calls hold: others may have as many in their place."""
        return self._bulkhead.set_aside(self._clock())
