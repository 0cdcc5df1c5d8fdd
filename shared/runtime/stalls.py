"""How many documents are stuck at each stage: what the journal knows, by the rule of `core/stuck.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.core.breaker import PAUSES
from shared.core.drawing import in_order
from shared.core.graph import Pipeline
from shared.core.passes import Pass
from shared.core.stuck import Shut, Shuts, is_stuck, limits, ripe, still
from shared.database.passes import Passes
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
