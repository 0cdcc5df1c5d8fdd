"""How many documents are stuck at each stage: what the journal knows, by the rule of `core/stuck.py`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from shared.core.breaker import PAUSES
from shared.core.drawing import in_order
from shared.core.errors import Failed, Unavailable
from shared.core.graph import Pipeline
from shared.core.passes import Pass
from shared.core.stuck import Shut, Shuts, is_stuck, limits, ripe, still
from shared.database.passes import Passes
from shared.observe.metrics import Metrics
from shared.ports import BreakerReport, BreakerState

MOST = 1000
"""Documents of a stage that are looked at: beyond that the number matters to nobody."""


def shuts_in(pipeline: str, reports: Sequence[BreakerReport]) -> Shuts:
    """What of the registry's reports lets nothing through."""
    shut = [one for one in reports if one.state is not BreakerState.CLOSED]
    own = f"{PAUSES}{pipeline}."
    return Shuts(
        [Shut(one.name, one.since, one.reason, one.reopens_in) for one in shut if not one.name.startswith(PAUSES)],
        [Shut(one.name.removeprefix(own), one.since, one.reason) for one in shut if one.name.startswith(own)],
    )


async def stuck_in(
    journal: Passes, pipeline: Pipeline, passes: Sequence[Pass], shuts: Shuts, now: datetime
) -> dict[str, list[Mapping[str, Any]]]:
    """Stage to the rows of what is stuck there, the oldest first; without stages of which too little is known."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for stage in in_order(pipeline):
        seconds = limits(pipeline, passes, now).get(stage.name)
        if seconds is None:
            continue
        held = still(shuts.of(stage), stage.name, passes)
        rows = await journal.overdue(stage.name, now - timedelta(seconds=seconds), MOST) if not held else []
        found[stage.name] = [
            row | {"limit": seconds}
            for row in map(dict, rows)
            if is_stuck(row["state"], ripe(pipeline, stage.name, row["topic"], row["at"]), seconds, held, now)
        ]
    return found


class Registry(Protocol):
    """The part of the registry that knows what is shut."""

    async def reports(self) -> Sequence[BreakerReport]: ...


@dataclass(slots=True)
class StuckGauge:
    """The gauge of a running journal."""

    journal: Passes
    """What it knows."""
    pipeline: Pipeline
    """Whose."""
    registry: Registry
    """The breakers and pauses."""
    metrics: Metrics
    """Where it is shown."""
    is_current: Callable[[], bool]
    """Whether the journal has read what there is: for one that is behind, everybody stands still."""
    trouble: str = ""
    """Why it could not be counted the last time."""
    _known: set[str] = field(default_factory=set)

    async def follow(self, seconds: float) -> None:
        """Count every so many seconds; in a time in which nothing is known the gauge says nothing new."""
        while True:
            await asyncio.sleep(seconds)
            try:
                if self.is_current():
                    await self.count(datetime.now(UTC))
                self.trouble = ""
            except (Unavailable, Failed) as error:
                self.trouble = error.message

    async def count(self, now: datetime) -> None:
        """Count once."""
        shuts = shuts_in(self.pipeline.name, await self.registry.reports())
        found = await stuck_in(self.journal, self.pipeline, await self.journal.last(now), shuts, now)
        for stage in self._known | found.keys():
            self.metrics.stuck(stage).set(len(found.get(stage, ())))
        self._known |= found.keys()
