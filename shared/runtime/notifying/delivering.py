"""Delivers what waits for one hook: each hook has workers and connections of its own, so none holds another up.

While a hook fails, one worker alone tries it, with growing pauses: what waits behind loses no tries meanwhile. What a
process had in hand when it was killed is tried again after its lease, under the same id.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.core.errors import Failed, Unavailable
from shared.core.webhooks.again import IN_A_ROW, Answer, brake, next_try
from shared.core.webhooks.hook import Hook
from shared.database.deliveries import Claimed, DeliveriesTable
from shared.hooks.sending import Sender, open_sender
from shared.observe.metrics import Metrics
from shared.runtime.notifying.news import News
from shared.runtime.process import Life

LOOK_SECONDS = 1.0
"""How often the first worker looks for what is due, while nobody tells it anything."""
OTHERS_SECONDS = 5.0
"""How often the others look."""
LEASE_SECONDS = 15.0
"""How long after the end of a try its outcome may take to be noted; then it counts as lost."""
STOP_SECONDS = 5.0
"""How long tries that are under way are waited for when the process should end."""


@dataclass(slots=True)
class Delivering:
    """The deliveries of one hook."""

    life: Life
    hook: Hook
    table: DeliveriesTable
    metrics: Metrics
    news: News
    failures: int = 0
    """Tries in a row that failed."""
    said: str = ""
    """How the last of them failed."""
    trouble: str = ""
    """What keeps it from trying at all, in one sentence."""
    _held: float = field(default=0.0)
    """Until when it is left alone, by the monotonic clock."""

    async def work(self) -> None:
        """Deliver until the process should end."""
        async with open_sender(self.hook) as sender:
            workers = [asyncio.create_task(self._deliver(sender, number)) for number in range(self.hook.at_once)]
            ended = asyncio.create_task(self.life.ended.wait())
            await asyncio.wait([ended, *workers], return_when=asyncio.FIRST_COMPLETED)
            done, late = await asyncio.wait(workers, timeout=STOP_SECONDS)
            for task in (ended, *late):
                task.cancel()
            for worker in done:
                worker.result()

    async def _deliver(self, sender: Sender, number: int) -> None:
        while not self.life.ended.is_set():
            pause = self._held - time.monotonic()
            if pause > 0 or (number and self.failures >= IN_A_ROW):
                await self.news.wait(min(max(pause, 0.05), LOOK_SECONDS))
                continue
            try:
                if not await self._one(sender):
                    await self.news.wait(OTHERS_SECONDS if number else LOOK_SECONDS)
                self.trouble = ""
            except (Unavailable, Failed) as error:
                self.trouble = error.message
                await self.news.wait(LOOK_SECONDS)

    async def _one(self, sender: Sender) -> bool:
        """Try what is due next; gives whether anything was. Raises Unavailable."""
        claimed = await self.table.claim(self.hook.name, self.hook.patience.timeout + LEASE_SECONDS)
        if claimed is None:
            return False
        if claimed.attempts > self.hook.patience.attempts:
            # Whoever tried it last did not live to say what came of it.
            await self.table.failed(self.hook.name, claimed.id, "its last try was cut off", None)
            return True
        began = time.monotonic()
        answer = await sender.send(claimed.id, claimed.body)
        self.metrics.webhook_seconds(self.hook.name).observe(time.monotonic() - began)
        if answer.delivered:
            self.failures, self.said = 0, ""
            self.metrics.webhook_tries(self.hook.name, "delivered").inc()
            await self.table.delivered(self.hook.name, claimed.id)
        else:
            await self._failed(claimed, answer)
        return True

    async def _failed(self, claimed: Claimed, answer: Answer) -> None:
        self.failures, self.said = self.failures + 1, answer.said
        chance = random.random()
        self._held = time.monotonic() + brake(self.failures, answer, chance)
        times = (claimed.made_at, datetime.now(UTC))
        again = next_try(self.hook.patience, answer, claimed.attempts, times, chance)
        self.metrics.webhook_tries(self.hook.name, "failed" if again else "given_up").inc()
        if again is None:
            self.life.say(f"webhook {self.hook.name}: {claimed.id} is given up: {answer.said}")
        await self.table.failed(self.hook.name, claimed.id, answer.said, again)
