"""How far a partition may be emptied: below everything that somebody still needs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.core.event import Partition


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that needs a partition from an offset on."""

    offset: int
    """The first that is needed."""
    who: str
    """Who or what needs it, in a few words."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of one partition may go."""

    topic: str
    """Topic."""
    partition: int
    """Number."""
    begin: int
    """First offset that is there."""
    next: int
    """First offset that stays; nothing goes where it is `begin`."""
    held: str
    """Who needs that one; empty where nothing is left."""

    @property
    def count(self) -> int:
        """Offsets that go."""
        return self.next - self.begin


def cut(part: Partition, begin: int, end: int, bounds: Sequence[Bound]) -> Cut:
    """Up to the lowest bound. Without any bound nothing goes: whom nobody asked for may be anybody."""
    lowest = min(bounds, key=lambda bound: bound.offset, default=Bound(0, "nobody was asked"))
    upto = max(min(lowest.offset, end), begin)
    return Cut(*part, begin, upto, lowest.who if upto < end else "")


def joined(*several: Mapping[Partition, Sequence[Bound]]) -> dict[Partition, list[Bound]]:
    """All bounds of each partition."""
    found: dict[Partition, list[Bound]] = {}
    for bounds in several:
        for part, some in bounds.items():
            found.setdefault(part, []).extend(some)
    return found
