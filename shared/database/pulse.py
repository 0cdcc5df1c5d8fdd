"""Whether PostgreSQL answers, and how quickly, as its clients in this process last found it.

Nobody asks for it: it is what the work itself met with, so a server that answers `select 1` and no more does not pass
for well. A word is believed for some seconds only, for nobody works on a database that nobody needs.
"""

from dataclasses import dataclass, field

SLOW = 1.0
"""Seconds of one piece of work beyond which PostgreSQL is slow."""
BELIEVED = 10.0
"""Seconds for which a trouble that nobody has met again counts."""


@dataclass(slots=True)
class Pulse:
    """What one pool met with; `now` is in seconds of any steady clock."""

    _running: dict[int, float] = field(default_factory=dict)
    _number: int = 0
    _trouble: str = ""
    _met: float = 0.0

    def begins(self, now: float) -> int:
        """A piece of work begins; gives its number."""
        self._number += 1
        self._running[self._number] = now
        return self._number

    def ends(self, number: int, now: float, trouble: str = "") -> None:
        """It has ended: `trouble` says how, where PostgreSQL is to blame."""
        seconds = now - self._running.pop(number)
        if not trouble and seconds > SLOW:
            trouble = f"PostgreSQL is slow: a piece of work took {seconds:.1f} s"
        self._trouble, self._met = trouble, now

    def said(self, now: float) -> str:
        """What is the matter, in one sentence; empty while all is well."""
        oldest = next(iter(self._running.values()), now)
        if self._trouble and now - self._met < BELIEVED:
            return self._trouble
        return f"PostgreSQL has not answered for {now - oldest:.1f} s" if now - oldest > SLOW else ""
