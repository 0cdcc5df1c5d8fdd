"""What becomes of a delivery after a try: delivered, once more later, or given up. Pure.

Anything but a status of 200 to 299 has failed, a redirection too: nobody is led elsewhere than where the operator said.
410 means that the receiver wants nothing more of it, so that delivery is given up at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.core.webhooks.hook import Patience

GROWTH = 3.0
GONE = 410
BRAKE_SECONDS = 60.0
"""Longest pause of a whole hook: so soon it is noticed that its receiver is back."""
IN_A_ROW = 2
"""Failures in a row that speak of the receiver; a single one speaks of what it was sent, or of chance."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try."""

    status: int
    """Status of the answer; 0 where there was none."""
    said: str
    """What failed, in one sentence."""
    after: float | None = None
    """Seconds that the receiver asked to wait."""

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return 200 <= self.status < 300


def next_try(
    patience: Patience, answer: Answer, attempts: int, times: tuple[datetime, datetime], chance: float
) -> datetime | None:
    """When a failed delivery is tried again; None where it is given up.

    `times`: when it was made, and now. `chance`: 0 to 1, so that what failed together does not come back together.
    """
    made, now = times
    if answer.status == GONE or attempts >= patience.attempts:
        return None
    pause = min(patience.first * GROWTH ** min(attempts - 1, 30), patience.longest) * (0.5 + chance)
    # Not sooner than asked, and not all at the very same moment.
    due = now + timedelta(seconds=max(pause, (answer.after or 0.0) * (1 + chance / 10)))
    return due if due < made + timedelta(hours=patience.hours) else None


def brake(failures: int, answer: Answer, chance: float) -> float:
    """Seconds for which a hook is left alone after so many failures in a row: meanwhile no delivery loses a try."""
    pause = min(2.0 ** min(failures - IN_A_ROW, 30), BRAKE_SECONDS) * (0.5 + chance / 2)
    return max(pause if failures >= IN_A_ROW else 0.0, answer.after or 0.0)


def seconds_of(retry_after: str, now: datetime, most: float) -> float | None:
    """What a `Retry-After` asks for, in seconds or as a date, at most so many; None where it asks for nothing."""
    if retry_after.isascii() and retry_after.isdecimal():
        return min(float(retry_after[:12]), most)
    try:
        return min(max((parsedate_to_datetime(retry_after) - now).total_seconds(), 0.0), most)
    except (ValueError, TypeError):
        return None
