"""When a failed record is tried again: attempts, backoff and the delay tiers of the retry topics.

    attempt 1 failed -> backoff 4 s  -> tier 5 s
    attempt 2 failed -> backoff 8 s  -> tier 1 min
    attempt 3 failed -> dead letter

A tier is a topic whose records all wait equally long, so that the order of the log is the order in which they fall due
and nothing has to loop. Backoff picks the tier: the shortest one that is not shorter.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

from shared.core.errors import Misconfigured

JITTER = 0.1
"""Largest share of a tier's delay that is added, so that what failed together does not come back together."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a stage tries again."""

    attempts: int = 3
    """Tries in all, the first included."""
    tiers: tuple[float, ...] = (5.0, 60.0, 600.0)
    """Delay of each retry topic in seconds, shortest first."""
    first_backoff: float = 4.0
    """Seconds after the first failure; doubles with each further one."""
    longest_backoff: float = 60.0
    """Where the doubling stops, in seconds."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise Misconfigured(f"retries: {self.attempts} attempts; the first try is one, so give 1 or more")
        if self.attempts > 1 and not self.tiers:
            raise Misconfigured(f"retries: {self.attempts} attempts need a tier to wait in; give one, or 1 attempt")
        # Shorter differences would not show in the topic's name.
        steps = [round(tier, 3) for tier in (0.0, *self.tiers)]
        if any(second <= first for first, second in pairwise(steps)):
            raise Misconfigured(f"retries: tiers {self.tiers} are seconds, each longer than the one before")

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the given attempt failed."""
        return float(min(self.first_backoff * 2 ** (attempt - 1), self.longest_backoff))

    def tier(self, attempt: int, after: float | None) -> int | None:
        """Number of the tier, from 1, for a record whose given attempt failed; None when no attempt is left.

        `after` is what the other side asked to wait; it is rounded up to a tier, or down to the longest.
        """
        if attempt >= self.attempts:
            return None
        wanted = max(self.backoff(attempt), after or 0.0)
        for number, delay in enumerate(self.tiers, 1):
            if delay >= wanted:
                return number
        return len(self.tiers)

    def delay(self, tier: int, salt: str) -> float:
        """Seconds a record waits in the tier, jitter included; the same salt always gives the same."""
        spread = int.from_bytes(hashlib.blake2b(salt.encode(), digest_size=4).digest()) / 2**32
        return self.tiers[tier - 1] * (1 + JITTER * spread)
