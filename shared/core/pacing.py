"""How fast a replay goes, and when it stops: decisions about counts and seconds, without a clock.

the first few      go alone, and the others wait until these have ended
too many failed    stop: what was to be mended is not mended
else               so many a second, and never more under way than fit: what the fleet, its providers' limits and
                   budgets let through decides how fast the rest follows
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PacePolicy:
    """The limits of a replay."""

    canary: int = 5
    """How many go first; 0: none."""
    patience: float = 120.0
    """Seconds within which something has to end while others wait for it."""
    rate: float = 100.0
    """Records a second."""
    in_flight: int = 1000
    """Most records that have been sent and have not ended."""
    worst: float = 0.5
    """Largest share of those that ended that may fail again."""
    least: int = 20
    """How many must have ended before that share is judged; of the first few all of them."""


@dataclass(frozen=True, slots=True)
class Count:
    """How a replay stands."""

    sent: int = 0
    """Records that have re-entered."""
    ended: int = 0
    """Of these, those that have come to an end, or failed again."""
    failed: int = 0
    """Of these, those that failed again."""

    @property
    def under_way(self) -> int:
        """Sent and not ended."""
        return self.sent - self.ended


def room(policy: PacePolicy, count: Count, sent_now: int, seconds: float) -> int:
    """How many more may go: `sent_now` since this run began, `seconds` ago."""
    by_rate = int(seconds * policy.rate) + 1 - sent_now
    return max(0, min(by_rate, policy.in_flight - count.under_way))


def too_many(policy: PacePolicy, count: Count, least: int) -> bool:
    """Whether too many failed again to go on; nothing is judged before so many have ended."""
    return count.ended >= max(least, 1) and count.failed > policy.worst * count.ended


def verdict(count: Count) -> str:
    """Why a replay is stopped, in a sentence."""
    return f"{count.failed} of {count.ended} that ended have failed again"
