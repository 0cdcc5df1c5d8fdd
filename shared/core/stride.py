"""Whose turn it is among groups that share something scarce, by what each of them has cost.

Stride scheduling: each group has a clock that goes on by the cost of what it was given, over its weight, and the group
whose clock is furthest behind is next. A group that comes late begins at the clock of those that are served: it has no
claim on what it did not ask for.
"""

from collections import deque
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


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

    def take(self) -> tuple[str, float, T]:
        """Take the one whose turn it is. Raises ValueError where nobody waits."""
        group = min(self._queues, key=lambda name: self._clocks[name])
        cost, item = self._queues[group].popleft()
        self._now = self._clocks[group]
        self._clocks[group] += self._stride(group, cost)
        if not self._queues[group]:
            del self._queues[group]
        self._forget()
        return group, cost, item

    def put_back(self, taken: tuple[str, float, T]) -> None:
        """It was not its turn after all: as if it had not been taken. The last one taken comes back first."""
        group, cost, item = taken
        self._queues.setdefault(group, deque()).appendleft((cost, item))
        self._clocks[group] = self._clocks.get(group, self._now) - self._stride(group, cost)

    def _stride(self, group: str, cost: float) -> float:
        return max(cost, 1e-9) / self._weights.get(group, 1.0)

    def _forget(self) -> None:
        # A clock that the others have passed says nothing any more: who is gone is as who never was.
        self._clocks = {
            name: clock for name, clock in self._clocks.items() if name in self._queues or clock > self._now
        }
