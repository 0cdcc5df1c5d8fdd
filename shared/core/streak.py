"""Failures in a row, by the order in which calls began: an answer to an older call ends no row of newer failures.

A dependency that fails at once is told from one that fails now and then by its newest calls. Calls that began before
still come back answered for as long as a call lasts, in between the failures, and often many of both at one moment:
were only failures without an answer between them in a row, five would be seen when the last old call is back, and what
failed until then would have lost an attempt.

    calls     1 2 3 4 ............ answered, one by one      -> older: they end no row that 5 began
    calls             5 6 7 8 .... failed at once            -> four in a row
    calls             5 7 failed, 6 8 9 still under way      -> no row: nobody knows yet how those end

So a few failures among hundreds of calls under way never add up: more calls have begun meanwhile than have failed.
"""

from dataclasses import dataclass, replace

from shared.core.failures import Failure
from shared.core.tally import BLAMED, Tally

MOST = 0.8
"""Share of the calls begun since the first failure that must have failed for those to be in a row."""


@dataclass(frozen=True, slots=True)
class Streak:
    """The calls of one process to one dependency, by their numbers, and its newest failures."""

    begun: int = 0
    """Number of the last call that was let through."""
    answered: int = 0
    """Of the calls up to this one nothing is counted any more: it was answered, or the breaker has changed since."""
    first: int = 0
    """Number of the first call after it that failed; 0 where none did."""
    failed: int = 0
    """Calls after it that failed."""
    since: int = 0
    """Since when the breaker has been in the phase in which these calls were made; 0 where nobody has told yet."""

    @property
    def row(self) -> int:
        """Failures in a row."""
        return self.failed if self.failed >= MOST * (self.begun - self.first + 1) else 0

    def begin(self) -> "Streak":
        """One call more is let through: `begun` is its number."""
        return replace(self, begun=self.begun + 1)

    def outlives(self, number: int) -> bool:
        """Whether the row goes on although that call was answered; number 0: nobody knows when it began, so it ends."""
        return 0 < number < self.first and self.row > 0

    def end(self, number: int, *, failed: bool) -> "Streak":
        """A call ended; one whose beginning nobody knows counts as the newest."""
        number = number or self.begun
        if failed:
            first = min(self.first or number, number)
            return replace(self, first=first, failed=self.failed + 1) if number > self.answered else self
        return self if number < self.first else replace(self, answered=max(number, self.answered), first=0, failed=0)

    def within(self, since: int) -> "Streak":
        """The same in the breaker's phase that began then: what failed before another one does not count."""
        if since == self.since:
            return self
        return replace(self, since=since) if not self.since else Streak(self.begun, self.begun, since=since)


class Streaks:
    """The streaks of one process, by dependency; `since`: when its breaker entered its phase, 0 where nobody knows."""

    def __init__(self) -> None:
        self._known: dict[str, Streak] = {}

    def begin(self, name: str, since: int) -> int:
        """A call is let through; gives its number."""
        self._known[name] = streak = self._of(name, since).begin()
        return streak.begun

    def counted(self, tally: Tally, name: str, failure: Failure | None, number: int, since: int) -> Tally:
        """The tally with one call more, which has ended."""
        before = self._of(name, since)
        self._known[name] = after = before.end(number, failed=failure in BLAMED)
        return tally.plus(failure, row=after.row, outlived=before.outlives(number))

    def _of(self, name: str, since: int) -> Streak:
        return self._known.get(name, Streak()).within(since)
