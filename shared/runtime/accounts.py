"""What the ledger knows of cost, as metrics: counters of a process end with it, the ledger's sums do not.

One service of an installation tells them, the review desk: were it every process, each scrape would read the whole
table as often as there are processes.
"""

import time
from dataclasses import dataclass

from shared.core.errors import Failed, Unavailable
from shared.database.spending import Account, Line
from shared.observe.metrics import Figures, Metrics

FRESH_SECONDS = 5.0
"""Figures that are no older are not asked for again."""
REST = 20.0
"""How many times as long as they took to sum they are left alone at least: a large table is not summed all the time."""
MOST_LINES = 100_000
"""Models times types that are summed: with any fewer the dearest alone would pass for all."""


@dataclass(slots=True)
class Accounts:
    """The metrics of a service, with the ledger's sums among them."""

    metrics: Metrics
    """Where they are told."""
    account: Account
    """The ledger."""
    due: float = 0.0
    """When they are to be asked for again, by the monotonic clock."""

    async def exposition(self) -> bytes:
        """Everything, in Prometheus' text format; while PostgreSQL is away, the ledger's sums as they were."""
        began = time.monotonic()
        if began >= self.due:
            try:
                lines = await self.account.by(("model", "type"), limit=MOST_LINES)
                self.metrics.accounts((line.of["model"], line.of["type"], figures(line)) for line in lines)
            except (Unavailable, Failed) as error:
                self.metrics.trouble(f"what the ledger knows of cost is not told: {error.message}")
            ended = time.monotonic()
            self.due = ended + max(FRESH_SECONDS, (ended - began) * REST)
        return self.metrics.exposition()


def figures(line: Line) -> Figures:
    """What of a line is told."""
    return line.cost_usd, line.failed_usd, line.unsure_usd, line.unsure_calls
