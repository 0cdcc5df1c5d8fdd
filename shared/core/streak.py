"""Which answers end a run of failures: those that began after it, and older ones only while its calls still hang.

A dependency that fails at once is told from one that fails now and then by its newest calls. Calls that began before
still come back answered for as long as a call lasts, one between any two failures: were every answer to end the run,
five in a row would be seen only when the last old call is back, and what failed until then would have lost an attempt.

    calls     1 2 3 4 ............ answered, one by one      -> of old: none ends the run that 5 began
    calls             5 6 7 8 .... failed at once
    calls     a success after 5 failed, while 6 and 7 are still under way  -> ends it: nobody knows yet how those end

So a few failures among hundreds of calls under way never add up: by the next answer more calls have begun than failed.
"""

from dataclasses import dataclass, replace

MOST = 0.8
"""Share of the calls begun since a run's first failure that must have failed already for old answers not to end it."""


@dataclass(frozen=True, slots=True)
class Streak:
    """The calls of one process to one dependency, by their numbers, and its run of failures."""

    begun: int = 0
    """Number of the last call that was let through."""
    first: int = 0
    """Number of the call whose failure began the run; 0 without one."""
    failed: int = 0
    """Calls since then that failed, that one included."""

    def begin(self) -> "Streak":
        """One call more is let through: `begun` is its number."""
        return replace(self, begun=self.begun + 1)

    def outlives(self, number: int) -> bool:
        """Whether the run goes on although that call was answered; number 0: nobody knows when it began, so it ends."""
        since = self.begun - self.first + 1
        return 0 < number < self.first and self.failed >= MOST * since

    def end(self, number: int, *, failed: bool) -> "Streak":
        """A call ended. A failure whose beginning nobody knows counts as that of the newest call."""
        if not failed:
            return self if self.outlives(number) else replace(self, first=0, failed=0)
        if not self.first:
            return replace(self, first=number or self.begun, failed=1)
        return replace(self, failed=self.failed + 1) if (number or self.begun) >= self.first else self
