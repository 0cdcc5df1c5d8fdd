"""The first seconds after a recovery: each process lets twice as many calls through every second, and then all.

What waited for a dependency is more than it ever had to do at once, and would knock it down again the moment that one
call succeeded. The limit is each process's own: a shared one would be a question to the registry before every call.
"""

from dataclasses import dataclass

from shared.core.breaker import Breaker, Phase

FIRST = 4
"""Calls in the first second."""
STEP = 1000
"""Milliseconds after which twice as many may pass."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What one process has let through in one step."""

    step: int = 0
    """When the step began, in milliseconds; 0 before the first."""
    calls: int = 0
    """Calls that were let through in it."""


def passes(breaker: Breaker, now: int, passed: Passed) -> tuple[Passed, bool]:
    """Whether one more call may be made while a closed breaker recovers."""
    if breaker.phase is not Phase.CLOSED or now >= breaker.until:
        return passed, True
    number = max(now - breaker.since, 0) // STEP
    step = breaker.since + number * STEP
    calls = passed.calls if passed.step == step else 0
    if calls >= FIRST << number:
        return passed, False
    return Passed(step, calls + 1), True


def next_step(breaker: Breaker, now: int) -> float:
    """Seconds until more may pass."""
    return (STEP - max(now - breaker.since, 0) % STEP) / 1000
