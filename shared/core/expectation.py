"""When a document is expected to be out of the stages: from what others took, and from how many are before it. Pure.

    history   others that were as long in the same place, when about as many were under way as are now: half of them,
              and 95 of 100, were out within …
    queue     those before it at each stage / those that leave it a second; the stage at which that takes longest has
              the word, for a flow is as slow as its narrowest place

The later of the two is told. History alone is wrong for whoever stands behind a batch that has just come in; the queue
alone, where nobody waits.
Nothing is said where there are too few to go by.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.core.passes import FEW, HALF, MOST, Load, Pass, pace, quantile, quiet, remaining

Z_MOST = 1.645
"""Standard deviations above the mean that 95 of 100 stay below."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What stands at one stage now."""

    ahead: int
    """Records that go first."""
    oldest: datetime
    """When the oldest of all that wait there came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """When it is expected to be out, or why nothing can be said."""

    half: datetime | None = None
    """Half of such documents are out by then."""
    most: datetime | None = None
    """95 of 100 are; None beside `half`: too many are still under way to say."""
    documents: int = 0
    """Documents it rests on."""
    document_type: str = ""
    """Their type; empty: all types."""
    ways: Mapping[str, int] = field(default_factory=dict)
    """How many of them got out in which way."""
    why: str = ""
    """Why nothing is said; or, beside a time, what else it rests on."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A document that is under way."""

    stage: str
    """At which stage."""
    state: str
    """Waiting, in retry, …"""
    since: datetime
    """Since when."""
    document_type: str = ""
    """Its type; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How things stand on the rest of its way."""

    passes: Sequence[Pass]
    """What is known of others."""
    queues: Mapping[str, Queue]
    """Stage to what is before it there."""
    way: Sequence[str]
    """Stages that may follow, its own first, in the direction of the flow."""
    now: datetime
    """The time."""


def expected(here: Standing, flow: Flow) -> Expectation:
    """When it is out."""
    age = max((flow.now - here.since).total_seconds(), 0.0)
    kind, alike = _alike(here, flow, age)
    if (known := _over(alike, age, flow.now)) < FEW:
        told = f"unknown, too few: {known} were {here.state} at {here.stage} for as long; {FEW} are needed"
        return Expectation(documents=known, why=told)
    load = Load(one for one in flow.passes if one.stage in flow.way)
    near = load.like(alike, age, flow.now)
    queue = _of_queue(alike, flow)
    has_like = _over(near, age, flow.now) >= FEW
    if queue and not has_like:
        return queue
    chosen = near if has_like else alike
    times = remaining(chosen, age, flow.now)
    half, most = quantile(times, HALF), quantile(times, MOST)
    if half is None:
        return queue or Expectation(documents=len(times), why="unknown: most such documents are under way themselves")
    rests = Expectation(documents=len(times), document_type=kind, ways=_ways(chosen, age, flow.now))
    found = _at(rests, flow.now, half, most)
    return queue if queue and queue.most and (found.most is None or queue.most > found.most) else found


def _alike(here: Standing, flow: Flow, age: float) -> tuple[str, list[Pass]]:
    """Those in the same place; of its type where these are enough."""
    alike = [one for one in flow.passes if (one.stage, one.state) == (here.stage, here.state)]
    own = [one for one in alike if here.document_type and one.document_type == here.document_type]
    return (here.document_type, own) if _over(own, age, flow.now) >= FEW else ("", alike)


def _over(passes: Sequence[Pass], age: float, now: datetime) -> int:
    return sum(over for _, over in remaining(passes, age, now))


def _ways(passes: Sequence[Pass], age: float, now: datetime) -> dict[str, int]:
    return dict(Counter(one.way for one in passes if one.way and one.stayed(now) > age))


def _at(found: Expectation, now: datetime, half: float, most: float | None) -> Expectation:
    latest = None if most is None else now + timedelta(seconds=most)
    return replace(found, half=now + timedelta(seconds=half), most=latest)


def _of_queue(alike: Sequence[Pass], flow: Flow) -> Expectation | None:
    """From the queue; None where it takes no longer than such documents do when all is quiet."""
    found = Expectation(documents=len(alike))
    out = {one.document_id for one in alike if one.out}
    half, most, ahead = 0.0, 0.0, 0
    for stage in flow.way:
        queue = flow.queues.get(stage)
        ahead += queue.ahead if queue else 0
        share = len(out & {one.document_id for one in flow.passes if one.stage == stage}) / len(out)
        if queue is None or not ahead or share < 1 - MOST:
            continue
        coming = max(round(ahead * share), 1)
        rate, counted = pace(flow.passes, stage, queue.oldest, flow.now)
        if counted < FEW:
            if coming <= FEW:
                continue
            told = f"unknown: {coming:,} are before it at {stage}, of which too few ({counted}) have gone on yet"
            return replace(found, why=told)
        seconds = coming / rate
        if share >= HALF and seconds > half:
            half = seconds
            found = replace(found, why=f"{coming:,} are before it at {stage}, which lets {rate:.3g} a second go on")
        most = max(most, seconds * (1 + Z_MOST * math.sqrt(1 / coming + 1 / counted)))
    usual = quiet(alike, flow.now)
    if half <= usual[1]:
        return None
    return _at(found, flow.now, half, max(most, half + usual[1] - usual[0]))
