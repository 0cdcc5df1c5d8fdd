"""When a call is given up: no first token, no next one, no end. Three limits, of which the nearest counts.

A provider that is dead shows it by silence. Without a stream only the limit of the whole call tells, and that has to be
as long as the longest good answer takes; a stream is given up as soon as its next piece is overdue.
"""

from dataclasses import dataclass

from shared.models.registry import Provider


@dataclass(slots=True)
class Pace:
    """The limits of one call; times are seconds of any steady clock."""

    provider: Provider
    """Whose limits they are."""
    began: float
    """When the call began."""
    last: float | None = None
    """When the answer was last brought on; None before its first token."""
    streams: bool = True
    """The answer comes in pieces; one that comes whole has the limit of the whole call alone."""

    @property
    def whole(self) -> float:
        """When the whole call has taken too long."""
        return self.began + self.provider.timeout

    @property
    def due(self) -> float:
        """When the call is given up, as things stand."""
        return min(self.whole, self._next)

    @property
    def said(self) -> str:
        """What was waited for in vain, once it is due."""
        if self.whole <= self._next:
            return f"no answer in {self.provider.timeout:g} s"
        if self.last is None:
            return f"no first token in {self.provider.first_token:g} s"
        return f"the stream stood still for {self.provider.stall:g} s"

    @property
    def _next(self) -> float:
        if not self.streams:
            return self.whole
        return self.began + self.provider.first_token if self.last is None else self.last + self.provider.stall
