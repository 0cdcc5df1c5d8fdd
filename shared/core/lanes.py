"""Order within a key: which of the records at hand may begin, and which stand behind another one of their document.

    at hand   taken up and not begun                     busy    begun, or held for a dependency
    away      in a retry or parked topic, to come back

A record may begin when nothing of its key is busy, and nothing older of its key is at hand or away. Older means: it
first reached the stage at a lower offset. Not the order of arrival, which a record loses when it comes back.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Origin = tuple[int, int]
"""Partition and offset at which a record first reached the stage."""


class Keyed(Protocol):
    """What can stand in a lane."""

    @property
    def key(self) -> bytes | None:
        """The document it is about."""
        ...

    @property
    def origin(self) -> Origin:
        """Its age among the records of its key."""
        ...


T = TypeVar("T", bound=Keyed)


def _age(item: Keyed) -> Origin:
    return item.origin


@dataclass(slots=True)
class Lane(Generic[T]):
    """The records of one key that are known and not done."""

    waiting: deque[T] = field(default_factory=deque)
    """At hand, oldest first."""
    away: dict[Origin, T] = field(default_factory=dict)
    """In another topic, each with the record that went there."""
    busy: T | None = None
    """The one that has begun."""

    def insert(self, item: T) -> None:
        """Put a record at its place, which is the end unless it comes back."""
        if not self.waiting or self.waiting[-1].origin <= item.origin:
            self.waiting.append(item)
        else:
            insort(self.waiting, item, key=_age)

    def next(self) -> T | None:
        """Begin the oldest one if it may begin."""
        if self.busy is not None or not self.waiting:
            return None
        if self.away and min(self.away) < self.waiting[0].origin:
            return None
        self.busy = self.waiting.popleft()
        return self.busy


class Lanes(Generic[T]):
    """All lanes of a process; each method gives the record that may begin because of it, if there is one."""

    def __init__(self) -> None:
        self._lanes: dict[bytes | None, Lane[T]] = {}

    def add(self, item: T) -> T | None:
        """A record is at hand: it came for the first time, came back, or is due."""
        lane = self._lanes.get(item.key)
        if lane is None:
            lane = self._lanes[item.key] = Lane()
        elif lane.away:
            lane.away.pop(item.origin, None)
        lane.insert(item)
        return lane.next()

    def expect(self, item: T) -> None:
        """A record is known that will be at hand later: nothing younger of its key begins before it."""
        self._lanes.setdefault(item.key, Lane()).away[item.origin] = item

    def done(self, item: T) -> T | None:
        """The busy record is done for good, or it is none of ours any more."""
        lane = self._lanes[item.key]
        lane.busy = None
        return self._next(item.key, lane)

    def send_away(self, item: T) -> T | None:
        """A record, busy or at hand, goes to a topic from which it comes back."""
        lane = self._lanes[item.key]
        if lane.busy is item:
            lane.busy = None
        else:
            lane.waiting.remove(item)
        lane.away[item.origin] = item
        return lane.next()

    def forget(self, gone: Callable[[T], bool]) -> list[T]:
        """What is away and none of ours any more holds nobody up; gives what may begin because of it."""
        released = []
        for key, lane in list(self._lanes.items()):
            if lane.away:
                lane.away = {origin: item for origin, item in lane.away.items() if not gone(item)}
                if (item := self._next(key, lane)) is not None:
                    released.append(item)
        return released

    def blocked(self, key: bytes | None) -> bool:
        """Nothing of the key has begun, because something older is away."""
        lane = self._lanes.get(key)
        return lane is not None and lane.busy is None and bool(lane.waiting)

    def followers(self, key: bytes | None) -> tuple[T, ...]:
        """Records of the key that are at hand and have not begun."""
        lane = self._lanes.get(key)
        return tuple(lane.waiting) if lane else ()

    def _next(self, key: bytes | None, lane: Lane[T]) -> T | None:
        if not lane.waiting and not lane.away and lane.busy is None:
            del self._lanes[key]
            return None
        return lane.next()
