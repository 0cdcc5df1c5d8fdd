"""How far behind a stage is, in records and in seconds: of a thousand records nobody can tell whether that is much.

The age of the oldest record is known while a process holds it. Where it holds none of a backlog (it is paused, it is
full), nobody has read the record yet: then the time is known at which the partition's end was first seen beyond it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MOST = 400
"""Ends that are remembered of a partition; beyond that every second one is forgotten."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a process is on one partition."""

    held: int
    """Records taken up and not done."""
    ahead: int
    """Offset behind the last record that was taken up; where its end was met, that end."""
    oldest: datetime | None = None
    """When Kafka got the oldest one that is held."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far behind a partition is."""

    records: int
    """Records that are not worked off; markers of transactions that stand among those not read are counted too."""
    seconds: float
    """How long the oldest of them has waited, as far as that is known."""


@dataclass(slots=True)
class Ends:
    """Where one partition's end was seen to be, and when; it only moves on."""

    seen: list[tuple[datetime, int]] = field(default_factory=list)
    """Each time at which it had moved, the oldest first."""

    def note(self, now: datetime, end: int) -> None:
        """It is there now."""
        if not self.seen or end != self.seen[-1][1]:
            self.seen.append((now, end))
        if len(self.seen) > MOST:
            del self.seen[1:-1:2]

    def beyond(self, offset: int) -> datetime | None:
        """When it was first seen beyond an offset; None: it is not."""
        return next((at for at, end in self.seen if end > offset), None)

    def lag(self, reach: Reach, now: datetime) -> Lag:
        """How far behind whoever has come so far is."""
        end = self.seen[-1][1] if self.seen else 0
        since = [at for at in (reach.oldest, self.beyond(reach.ahead)) if at is not None]
        seconds = (now - min(since)).total_seconds() if since else 0.0
        return Lag(reach.held + max(end - reach.ahead, 0), max(seconds, 0.0))


@dataclass(slots=True)
class Lags:
    """The lag of every partition that a process owns."""

    ends: dict[tuple[str, int], Ends] = field(default_factory=dict)
    """What was seen of each."""

    def look(
        self, reached: Mapping[tuple[str, int], Reach], found: Mapping[tuple[str, int], int], now: datetime
    ) -> dict[tuple[str, int], Lag]:
        """Note where the ends are now; gives the lag of each partition that is owned and whose end is known."""
        self.ends = {key: self.ends.get(key) or Ends() for key in reached}
        for key in reached.keys() & found.keys():
            self.ends[key].note(now, found[key])
        return {key: self.ends[key].lag(reached[key], now) for key in reached.keys() & found.keys()}
