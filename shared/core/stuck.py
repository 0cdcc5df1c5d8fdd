"""Whether a document waits for something, or is stuck: longer in its place than others explain. Pure.

    waiting   parked, in review, dead-lettered; in retry and not due; its stage paused, or a breaker it needs open
    stuck     none of these, and in its place for more than 3 times as long as 99 of 100 of the last that left it
    unknown   too few have left it to say

Others that stand behind the same batch wait as long as it does, and raise the limit with them: a long queue that moves
makes nobody stuck. A stage that lets nobody go makes all of them stuck, and so does one partition that nobody serves.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.core.drawing import in_order
from shared.core.errors import Misconfigured
from shared.core.graph import Pipeline
from shared.core.passes import FEW, RECENT, Pass, quantile, stays
from shared.core.retry import JITTER
from shared.core.stage import MODEL, Stage

RARE = 0.99
"""Part of the documents that are not rare in how long they stay."""
FACTOR = 3.0
"""How much longer than those is beyond explanation."""
AT_LEAST = 30.0
"""Seconds that are never too long: a process that ended is taken over from, and a transaction ended, within that."""
IN_FLIGHT = 30.0
"""Seconds for which work may still end that was begun before something shut."""
WAITING, RETRY = "waiting", "in-retry"
"""States in which a document can be stuck; in all others it waits for somebody or something that is named."""


@dataclass(frozen=True, slots=True)
class Shut:
    """Something that lets nothing through for now."""

    name: str
    """A breaker, or a stage that was paused."""
    since: datetime
    """Since when."""
    reason: str
    """Why."""
    seconds: float = 0.0
    """Seconds until it is tried again; 0 where nobody can say."""


@dataclass(frozen=True, slots=True)
class Shuts:
    """Everything that lets nothing through for now."""

    breakers: Collection[Shut] = ()
    """Open breakers."""
    pauses: Collection[Shut] = ()
    """Paused stages, by their names."""

    def of(self, stage: Stage[Any, Any]) -> list[Shut]:
        """What a stage may wait for."""
        held = [one for one in self.pauses if one.name == stage.name]
        models = bool(stage.chains)
        return held + [one for one in self.breakers if one.name in stage.needs or (models and is_model(one.name))]


def still(held: Iterable[Shut], stage: str, passes: Iterable[Pass]) -> list[Shut]:
    """Those of them that nobody has got past: where another model answers, or calls are open, documents go on."""
    last = max((one.left for one in passes if one.stage == stage and one.left), default=None)
    return [one for one in held if last is None or last < one.since + timedelta(seconds=IN_FLIGHT)]


def is_model(dependency: str) -> bool:
    """Whether that is a model, and no other thing."""
    return dependency.startswith(MODEL)


def limits(pipeline: Pipeline, passes: Iterable[Pass], now: datetime) -> dict[str, float]:
    """Seconds beyond which a document at a stage is stuck; without stages that too few have left."""
    found = list(passes)
    each = {stage.name: limit([one for one in found if one.stage == stage.name], now) for stage in in_order(pipeline)}
    return {name: seconds for name, seconds in each.items() if seconds is not None}


def limit(passes: Iterable[Pass], now: datetime) -> float | None:
    """The same of one stage, from those that left it last."""
    gone = sorted((one for one in passes if one.left and one.state == WAITING), key=lambda one: one.left or now)
    if len(gone) < FEW:
        return None
    usual = quantile(stays(gone[-RECENT:], now), RARE) or 0.0
    return max(FACTOR * usual, AT_LEAST)


def ripe(pipeline: Pipeline, stage: str, topic: str, since: datetime) -> datetime:
    """From when on it could be worked on: at once, or when a retry topic's time is over, jitter included."""
    try:
        own = pipeline.stage(stage)
    except Misconfigured:
        return since
    tiers = dict(zip(pipeline.topics(own).retries, pipeline.retry_policy(own).tiers, strict=True))
    return since + timedelta(seconds=tiers.get(topic, 0.0) * (1 + JITTER))


def is_stuck(state: str, ripe_at: datetime, seconds: float | None, held: Collection[Shut], now: datetime) -> bool:
    """Whether it is; `seconds` is its stage's limit, `held` what the stage may wait for."""
    return state in (WAITING, RETRY) and not held and seconds is not None and (now - ripe_at).total_seconds() > seconds
