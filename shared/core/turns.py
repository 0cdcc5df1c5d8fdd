"""A queue that serves its groups in turn: one of each, however many of another stand before it.

Records of a partition that was just taken over would otherwise stand behind all that was taken up before; at slow calls
that is a minute in which nothing of it moves.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Items by group, each group in its order."""

    def __init__(self, group: Callable[[T], Hashable]) -> None:
        self._group = group
        self._queues: dict[Hashable, deque[T]] = {}
        self._order: deque[Hashable] = deque()

    def __bool__(self) -> bool:
        return bool(self._order)

    @property
    def first(self) -> T:
        """Whose turn it is. Raises IndexError where there is nobody."""
        return self._queues[self._order[0]][0]

    @property
    def groups(self) -> int:
        """How many groups have somebody."""
        return len(self._order)

    def pass_over(self) -> None:
        """The group whose turn it is has its next one after those of all others."""
        self._order.rotate(-1)

    def add(self, items: Iterable[T]) -> None:
        """Put each at the end of its group."""
        for item in items:
            group = self._group(item)
            queue = self._queues.get(group)
            if queue is None:
                queue = self._queues[group] = deque()
                self._order.append(group)
            queue.append(item)

    def take(self) -> T:
        """Take the one whose turn it is; its group's next turn comes after those of all others."""
        group = self._order.popleft()
        queue = self._queues[group]
        item = queue.popleft()
        if queue:
            self._order.append(group)
        else:
            del self._queues[group]
        return item
