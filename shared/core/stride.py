"""Whose turn it is among groups that share something scarce, by what each of them has cost.

Stride scheduling: each group has a clock that goes on by the cost of what it was given, over its weight, and the group
whose clock is furthest behind is next. A group that comes late begins at the clock of those that are served: it has no
claim on what it did not ask for.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

LEAST_COST = 1e-9
"""What costs nothing still takes a turn."""


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """One that was taken, with what it takes to put it back."""

    item: T
    """It."""
    group: str
    """Whose it is."""
    cost: float
    """What it costs."""
    clocks: tuple[float, float]
    """The group's clock and everybody's, before."""


class Stride(Generic[T]):
    """What waits, by group; each group in its order."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        """A group that is not named has the weight 1."""
        self._weights = weights
        self._queues: dict[str, deque[tuple[float, T]]] = {}
        self._clocks: dict[str, float] = {}
        self._now = 0.0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def ahead(self, group: str) -> int:
        """About how many are served before another one of the group, where each costs the same."""
        others = [len(queue) for name, queue in self._queues.items() if name != group]
        own = len(self._queues.get(group, ()))
        return own + sum(min(waiting, own + 1) for waiting in others)

    def add(self, group: str, cost: float, item: T) -> None:
        """It waits, behind the others of its group."""
        if group not in self._queues:
            self._queues[group] = deque()
            self._clocks[group] = max(self._clocks.get(group, 0.0), self._now)
        self._queues[group].append((cost, item))

    def take(self) -> Taken[T]:
        """Take the one whose turn it is. Raises ValueError where nobody waits."""
        group = min(self._queues, key=lambda name: (self._clocks[name], name))
        cost, item = self._queues[group].popleft()
        taken = Taken(item, group, cost, (self._clocks[group], self._now))
        self._now = self._clocks[group]
        self._clocks[group] += max(cost, LEAST_COST) / self._weights.get(group, 1.0)
        self._forget_empty(group)
        # A clock that the others have passed says nothing any more: who is gone is as who never was.
        self._clocks = {name: at for name, at in self._clocks.items() if name in self._queues or at > self._now}
        return taken

    def put_back(self, taken: Taken[T]) -> None:
        """It was not its turn after all: as if it had not been taken. The last one taken comes back first."""
        self._queues.setdefault(taken.group, deque()).appendleft((taken.cost, taken.item))
        self._clocks[taken.group], self._now = taken.clocks

    def drop(self, gone: Callable[[T], bool]) -> list[T]:
        """Take out those that wait no more; nobody's turn changes by it."""
        dropped: list[T] = []
        for group, queue in list(self._queues.items()):
            dropped += [item for _, item in queue if gone(item)]
            self._queues[group] = deque(one for one in queue if not gone(one[1]))
            self._forget_empty(group)
        return dropped

    def _forget_empty(self, group: str) -> None:
        if not self._queues[group]:
            del self._queues[group]
