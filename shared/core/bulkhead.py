"""How many of a process's slots the calls of one dependency may hold: all while it answers, half when it hangs.

A breaker opens when calls have failed; one that hangs fails after its timeout only, and by then its calls would hold
every slot, and the work that needs another dependency would stand. So a dependency counts as hanging when its oldest
call is overdue and none has ended for far longer than their number lets expect. From then on it is given no new call
beyond half of the slots, and what it holds beyond half is set aside: others may begin in its place.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BulkheadPolicy:
    """When a dependency hangs, and what it may hold then."""

    slots: int = 256
    """Calls that a process may have in flight."""
    silence: float = 2.0
    """Seconds without an end of any call below which nothing hangs."""
    intervals: float = 10.0
    """As many times the mean interval between ends must have passed without one."""
    overdue: float = 2.0
    """As many times the usual length must the oldest call have run."""
    first_guess: float = 10.0
    """Seconds that count as the usual length before any call has ended."""

    @property
    def most(self) -> int:
        """Calls of a hanging dependency."""
        return max(1, self.slots // 2)


@dataclass(slots=True)
class Calls:
    """The calls of one dependency."""

    usual: float
    """Seconds that a call takes, newer ones weighing more."""
    last_end: float = 0.0
    """When one last ended."""
    began: dict[int, float] = field(default_factory=dict)
    """Running ones by number, the oldest first, with their start."""


class Bulkhead:
    """Counts the calls of one process; `now` is in seconds of any steady clock."""

    def __init__(self, policy: BulkheadPolicy) -> None:
        self.policy = policy
        self._calls: dict[str, Calls] = {}
        self._number = 0

    def enter(self, dependency: str, now: float) -> int | None:
        """Begin a call; gives its number, or None where the dependency hangs and holds its half already."""
        calls = self._calls.setdefault(dependency, Calls(self.policy.first_guess))
        if len(calls.began) >= self.policy.most and self._hangs(calls, now):
            return None
        self._number += 1
        calls.began[self._number] = now
        return self._number

    def leave(self, dependency: str, number: int, now: float, *, answered: bool = True) -> None:
        """A call ended; one that ran into its timeout says nothing of how long calls take, and is no sign of life."""
        calls = self._calls[dependency]
        seconds = now - calls.began.pop(number)
        if answered:
            calls.last_end = now
            calls.usual += (seconds - calls.usual) * 0.2

    def set_aside(self, now: float) -> int:
        """Slots that hanging calls hold beyond their half: others may have as many in their place."""
        return sum(
            len(calls.began) - self.policy.most
            for calls in self._calls.values()
            if len(calls.began) > self.policy.most and self._hangs(calls, now)
        )

    def _hangs(self, calls: Calls, now: float) -> bool:
        oldest = next(iter(calls.began.values()), now)
        if now - oldest <= self.policy.overdue * calls.usual:
            return False
        interval = calls.usual / len(calls.began)
        return now - max(calls.last_end, oldest) > max(self.policy.silence, self.policy.intervals * interval)
