"""Where records of retry topics wait until they are due: a timer each, no loop, no CPU."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.core.delivery import Delivery
from shared.core.settle import Place
from shared.runtime.runners import Runner
from shared.runtime.shares import Shares, Taken


class Waiting:
    """Stands before a runner and lets through what is due."""

    def __init__(self, place: Place, shares: Shares, runner: Runner, now: Callable[[], datetime]) -> None:
        self._place, self._shares, self._runner, self._now = place, shares, runner, now

    def admit(self, batch: Sequence[Taken]) -> None:
        """Hand on what is due, and the rest when it becomes so."""
        due = []
        for taken in batch:
            seconds = wait(self._place, taken.delivery, self._now())
            if seconds <= 0:
                due.append(taken)
            else:
                self._shares.wait(taken)
                asyncio.get_running_loop().call_later(seconds, self._admit_due, taken)
        if due:
            self._runner.admit(due)

    def _admit_due(self, taken: Taken) -> None:
        self._shares.due(taken)
        self._runner.admit([taken])


def wait(place: Place, delivery: Delivery, now: datetime) -> float:
    """Seconds until the record is due: append time and the tier's delay with its jitter; 0 outside retry topics."""
    retries = place.pipeline.topics(place.stage).retries
    if delivery.position.topic not in retries:
        return 0.0
    tier = retries.index(delivery.position.topic) + 1
    delay = place.pipeline.retry_policy(place.stage).delay(tier, str(delivery.position))
    return delay - (now - delivery.appended_at).total_seconds()
