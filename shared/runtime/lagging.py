"""How far behind a stage's process is: asked of the brokers every few seconds, beside the work.

Not the consumer's own view of the ends: it is as old as the last fetch, and a stage that is stuck fetches nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from shared.core.errors import Unavailable
from shared.core.event import Partition
from shared.core.lag import Lags, Reach
from shared.kafka.reading import Reader
from shared.kafka.subscription import Subscription
from shared.observe.metrics import Metrics
from shared.runtime.flow.shares import Shares

LOOK_SECONDS = 5.0


class Lagging:
    """Tells the metrics how far behind its process is."""

    def __init__(self, reader: Callable[[], Reader], shares: Shares, metrics: Metrics) -> None:
        self.subscriptions: list[Subscription] = []
        """What the process reads by; the engine makes it."""
        self._open, self._shares, self._metrics = reader, shares, metrics
        self._lags = Lags()

    async def watch(self) -> None:
        """Look again and again."""
        reader = await asyncio.to_thread(self._open)
        while True:
            # While Kafka is away the engine says so, and the figures stay as they were.
            with contextlib.suppress(Unavailable):
                await self.look(reader)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, reader: Reader) -> None:
        """Look once. Raises Unavailable."""
        reached = self.reached(self._shares.reached())
        found = await asyncio.to_thread(reader.ends, list(reached))
        lags = self._lags.look(reached, found, datetime.now(UTC))
        self._metrics.lags({key: (lag.records, lag.seconds) for key, lag in lags.items()})

    def reached(self, taken: dict[Partition, Reach]) -> dict[Partition, Reach]:
        """How far it is, with what lies behind the last record: where the end was met, there is nothing more."""
        met = met_by(self.subscriptions)
        return {key: Reach(at.held, max(at.ahead, met.get(key, 0)), at.oldest) for key, at in taken.items()}


def met_by(subscriptions: Sequence[Subscription]) -> dict[Partition, int]:
    """Ends that were met."""
    return {key: end for one in subscriptions for key, end in one.met.items()}
