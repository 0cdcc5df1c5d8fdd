"""How long documents stayed at a stage and how long they then took to the end: what a distribution is made of. Pure.

A pass is one document's time in one place (a stage and a state there), with what came of it. A document that is still
there, or still under way, says something too: that it took longer than that. Such times are cut, not left out, for
whoever leaves them out knows only the quick ones (Kaplan and Meier's estimate takes both).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FEW = 30
"""Documents below which nothing is said."""
RECENT = 200
"""As many as tell how things are now: the last that left, the last that were like this one."""
HALF, MOST = 0.5, 0.95
"""The two ends of a range: half of such documents are out by the first, 95 of 100 by the second."""
LIKE, SLACK = 1.5, 5
"""Within which factor two loads are about the same, a few documents more or less being no difference."""
STORED, DEAD, ASKED = "ended", "dead-lettered", "review"
"""What gets a document out of the stages; entries of the journal are called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One document's time in one place."""

    document_id: str
    """Whose."""
    stage: str
    """At which stage."""
    state: str
    """Waiting, in retry, …: the wait, and the work that ended it; nothing tells the two apart."""
    document_type: str = ""
    """The document's type; empty where it is not known."""
    came: datetime
    """When it came."""
    left: datetime | None = None
    """When its next record was written; None: it is still there."""
    out: datetime | None = None
    """When it was out of the stages; None: it is under way."""
    way: str = ""
    """How it got out: ended, dead-lettered or review."""

    def stayed(self, now: datetime) -> float:
        """Seconds in its place, up to now where it is still there."""
        return ((self.left or now) - self.came).total_seconds()


Times = Sequence[tuple[float, bool]]
"""Seconds, and whether it was over then; if not, it took longer."""


def quantile(times: Times, share: float) -> float | None:
    """Seconds within which that share is over, by Kaplan and Meier; None where what was cut leaves it open."""
    left, alive = 1.0, len(times)
    for seconds, over in sorted(times, key=lambda one: (one[0], not one[1])):
        if over:
            left *= 1 - 1 / alive
            # Products of fractions miss the exact value by a rounding.
            if left <= 1 - share + 1e-9:
                return seconds
        alive -= 1
    return None


def stays(passes: Iterable[Pass], now: datetime) -> list[tuple[float, bool]]:
    """How long each stayed where it was."""
    return [(one.stayed(now), one.left is not None) for one in passes]


def remaining(passes: Iterable[Pass], age: float, now: datetime) -> list[tuple[float, bool]]:
    """How long those took to get out that were still in their place at that age, from then on.

    Only they are like a document that is still there: all the others were quicker.
    """
    found = []
    for one in passes:
        if one.stayed(now) > age:
            took = ((one.out or now) - one.came).total_seconds() - age
            found.append((max(took, 0.0), one.out is not None))
    return found


class Load:
    """How many documents were under way at a time, as far as is known."""

    def __init__(self, passes: Iterable[Pass]) -> None:
        found = list(passes)
        self._came = sorted(one.came for one in found)
        self._left = sorted(one.left for one in found if one.left)

    def at(self, when: datetime) -> int:
        """Documents."""
        return bisect_right(self._came, when) - bisect_right(self._left, when)

    def like(self, passes: Iterable[Pass], age: float, now: datetime) -> list[Pass]:
        """The latest of those that stood, at that age, among about as many others as there are now."""
        load, later = self.at(now) + SLACK, timedelta(seconds=age)
        near = [one for one in passes if load / LIKE <= self.at(one.came + later) + SLACK <= load * LIKE]
        near.sort(key=lambda one: one.came)
        # Of those who are out: else a batch that has just come would be all that it is compared with.
        told = [number for number, one in enumerate(near) if one.out and one.stayed(now) > age]
        return near[told[-RECENT] :] if len(told) > RECENT else near


def quiet(passes: Iterable[Pass], now: datetime) -> tuple[float, float]:
    """Half and most of the seconds to the end, of those of the time at which things went quickest."""
    found = sorted((one for one in passes if one.out), key=lambda one: one.came)
    blocks = [found[n : n + FEW] for n in range(0, max(len(found) - FEW, 0) + 1, FEW)]
    times = [remaining(block, 0.0, now) for block in blocks]
    return min(((quantile(one, HALF) or 0.0, quantile(one, MOST) or 0.0) for one in times), default=(0.0, 0.0))


def pace(passes: Iterable[Pass], stage: str, since: datetime, now: datetime) -> tuple[float, int]:
    """Records that leave a stage a second while something waits there without a break, and of how many that is told."""
    lefts = sorted(one.left for one in passes if one.stage == stage and one.left and one.left >= since)[-RECENT:]
    began = lefts[0] if len(lefts) == RECENT else since
    seconds = (now - began).total_seconds()
    return (len(lefts) / seconds, len(lefts)) if seconds > 0 else (0.0, 0)
