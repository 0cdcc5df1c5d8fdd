"""Documents that go through two stages, each with so many hands, first come first served: as values, no clock."""

import heapq
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.expectation import Queue
from shared.core.passes import STORED, Pass

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
WAY = ("classify", "analyze")
HANDS = {"classify": 4, "analyze": 20}
WORK = {"classify": 0.2, "analyze": 1.6}
"""Seconds of work on the average; a tenth of the documents take five times as long at analyze."""


@dataclass(frozen=True)
class Way:
    """One document's way."""

    name: str
    came: Mapping[str, float]
    left: Mapping[str, float]

    @property
    def out(self) -> float:
        """When it was out."""
        return self.left[WAY[-1]]


def at(seconds: float) -> datetime:
    """A moment."""
    return BEGAN + timedelta(seconds=seconds)


def simulated(arrivals: Iterable[float], chance: random.Random) -> list[Way]:
    """Send documents through."""
    came = {f"d{number}": {WAY[0]: when} for number, when in enumerate(arrivals)}
    left: dict[str, dict[str, float]] = {name: {} for name in came}
    for number, stage in enumerate(WAY):
        hands = [0.0] * HANDS[stage]
        for name in sorted(came, key=lambda name: came[name][stage]):
            begins = max(came[name][stage], heapq.heappop(hands))
            slow = 5.0 if stage == "analyze" and chance.random() < 0.1 else 1.0
            left[name][stage] = begins + chance.lognormvariate(-0.18, 0.6) * WORK[stage] * slow / 1.4
            heapq.heappush(hands, left[name][stage])
            if number + 1 < len(WAY):
                came[name][WAY[number + 1]] = left[name][stage]
    return [Way(name, came[name], left[name]) for name in came]


def steady(rate: float, seconds: float, chance: random.Random, begins: float = 0.0) -> list[float]:
    """Arrivals by chance."""
    found, when = [], begins
    while (when := when + chance.expovariate(rate)) < begins + seconds:
        found.append(when)
    return found


def passes_at(ways: Sequence[Way], now: float, recent: int = 1200) -> list[Pass]:
    """What a journal knows of them, cut at a moment: of each stage those that came, or left, last."""
    found = []
    for stage in WAY:
        known = [one for one in ways if one.came[stage] <= now]
        last = sorted(known, key=lambda one: one.came[stage])[-recent:]
        last += sorted((one for one in known if one.left[stage] <= now), key=lambda one: one.left[stage])[-recent:]
        for one in {one.name: one for one in last}.values():
            gone, out = one.left[stage] <= now, one.out <= now
            found.append(
                Pass(
                    document_id=one.name,
                    stage=stage,
                    state="waiting",
                    came=at(one.came[stage]),
                    left=at(one.left[stage]) if gone else None,
                    out=at(one.out) if out else None,
                    way=STORED if out else "",
                )
            )
    return found


def queues_at(ways: Sequence[Way], mine: Way, stage: str, now: float) -> dict[str, Queue]:
    """How many are before it at each stage."""
    found = {}
    for each in WAY[WAY.index(stage) :]:
        there = [one for one in ways if one.came[each] <= now < one.left[each]]
        ahead = sum(one.came[each] < mine.came[each] for one in there) if each == stage else len(there)
        if there:
            found[each] = Queue(ahead, at(min(one.came[each] for one in there)))
    return found
