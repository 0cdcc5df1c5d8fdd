"""Failures in a row, by the order in which calls began: an answer to an older call ends no row of newer failures.

A dependency that fails at once is told from one that fails now and then by its newest calls. Calls that began before
still come back answered for as long as a call lasts, in between the failures, and often many of both at one moment:
were only failures without an answer between them in a row, five would be seen when the last old call is back, and what
failed until then would have lost an attempt.

    calls     1 2 3 4 ............ answered, one by one      -> older: they end no row that 5 began
    calls             5 6 7 8 .... failed at once            -> four in a row
    calls             5 7 failed, 6 8 9 still under way      -> no row: nobody knows yet how those end
    calls             5 6 7 given up, 8 9 .. still under way -> three in a row: whatever becomes of the newer ones

So a few failures among hundreds of calls under way never add up, not even where they are the first that are over: what
fails, fails at once, and an answer takes its time. For the same reason a share of failed calls is one of the calls that
have begun.
"""

from shared.core.failures import Failure
from shared.core.tally import BLAMED, Standing, Tally

MOST = 0.8
"""Share of the calls begun since the first failure that must have failed for those to be in a row."""


class Streak:
    """The calls of one process to one dependency, by their numbers, and its newest failures."""

    def __init__(self) -> None:
        self._begun = 0
        self._over = 0  # of the calls up to this one nothing is counted: one was answered, or the breaker has changed
        self._since = 0
        self._failed: set[int] = set()
        self._going: set[int] = set()

    def begin(self) -> int:
        """One call more is let through; gives its number."""
        self._begun += 1
        self._going.add(self._begun)
        return self._begun

    def leave(self, number: int) -> None:
        """The call was not made after all, or nobody will know how it ended."""
        self._going.discard(number)

    def end(self, number: int, *, failed: bool) -> Standing:
        """A call ended; number 0: nobody knows when it began, so it counts as the newest."""
        number = number or self.begin()
        self._going.discard(number)
        outlived = not failed and number < min(self._failed, default=0) and self._row() > 0
        if not failed and number > self._over and not outlived:
            self._over = number
            self._failed = {one for one in self._failed if one > number}
        elif failed and number > self._over:
            self._failed.add(number)
        row = self._row()
        return Standing(max(row, self._unbroken(number)), row > 0, outlived, len(self._going))

    def enter(self, since: int) -> None:
        """The breaker's phase began then; what began before another one does not count. 0: nobody has told yet."""
        if self._since and since != self._since:
            self._over = self._begun
            self._failed, self._going = set(), set()
        self._since = since

    def _row(self) -> int:
        """Failures in a row, up to the newest call: hardly one that began since the first of them is under way."""
        if not self._failed:
            return 0
        first = min(self._failed)
        newer = sum(one > first for one in self._going)
        return len(self._failed) if len(self._failed) >= MOST * (len(self._failed) + newer) else 0

    def _unbroken(self, number: int) -> int:
        """Failures in a row, this one among them, however many that began later are under way; 0 where it is none."""
        if number not in self._failed:
            return 0
        below = max((one for one in self._going if one < number), default=0)
        above = min((one for one in self._going if one > number), default=self._begun + 1)
        return sum(below < one < above for one in self._failed)


class Streaks:
    """The streaks of one process, by dependency; `since`: when its breaker entered its phase, 0 where nobody knows."""

    def __init__(self) -> None:
        self._known: dict[str, Streak] = {}

    def begin(self, name: str, since: int) -> int:
        """A call is let through; gives its number."""
        return self._of(name, since).begin()

    def leave(self, name: str, number: int) -> None:
        """It was not made after all, or nobody will know how it ended; one that has ended is left already."""
        if streak := self._known.get(name):
            streak.leave(number)

    def counted(self, tally: Tally, name: str, failure: Failure | None, number: int, since: int) -> Tally:
        """The tally with one call more, which has ended."""
        return tally.plus(failure, self._of(name, since).end(number, failed=failure in BLAMED))

    def _of(self, name: str, since: int) -> Streak:
        streak = self._known.setdefault(name, Streak())
        streak.enter(since)
        return streak
