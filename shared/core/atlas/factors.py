"""What documents can have in common: factors, their values, and the bins of those that are numbers."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.core.atlas.ended import Ended


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that is known of a document."""

    name: str
    """The field of `Ended` that holds it."""
    bounds: tuple[int, ...] = ()
    """Where it is a number: the upper ends of its bins, the last bin has none. Fixed and round, for people speak so."""
    begins: bool = False
    """It is a time: what comes after a bound is a group, what came before is none."""


FACTORS = (
    Factor("document_type"),
    Factor("tenant"),
    Factor("prompt"),
    Factor("model"),
    Factor("method"),
    Factor("media_type"),
    Factor("language"),
    Factor("pages", (1, 5, 10, 20, 40, 100)),
    Factor("size", (10_000, 100_000, 1_000_000, 10_000_000)),
)
"""Of two that describe the same documents the earlier one is named."""

TIME = "at"
"""Field of `Ended` that says when. As a factor it keeps what began at some time from being laid at the door of whatever
else began about then, such as a new prompt."""
MOMENTS = 10
"""Stretches of equally many documents between which a cause may have begun."""


def moments(times: Sequence[float]) -> Factor:
    """Time as a factor of documents that ended at these times."""
    ordered = sorted(times)
    bounds = {int(ordered[len(ordered) * part // MOMENTS]) for part in range(1, MOMENTS)}
    return Factor(TIME, tuple(sorted(bounds)), begins=True)


@dataclass(frozen=True, slots=True)
class Condition:
    """A value of one factor, or a range of a number: over the one and up to the other."""

    factor: str
    """Name of the factor."""
    value: str = ""
    """The value, where the factor is no number."""
    over: int | None = None
    """Greater than this; None: no lower end."""
    upto: int | None = None
    """Not greater than this; None: no upper end."""

    def fits(self, ended: Ended) -> bool:
        """Whether it holds of the document; of what is not known nothing holds."""
        found = getattr(ended, self.factor)
        if self.over is None and self.upto is None:
            return bool(found == self.value)
        if found is None:
            return False
        return (self.over is None or found > self.over) and (self.upto is None or found <= self.upto)


def bin_of(value: float | None, bounds: tuple[int, ...]) -> int:
    """The number of the bin, from 1; 0 where the value is not known."""
    return 0 if value is None else bisect_left(bounds, value) + 1


def ranges(factor: Factor) -> list[tuple[Condition, range]]:
    """The ranges worth naming, each with the bins in it: all up to a bound, all over a bound, and what lies between."""
    bounds, last = factor.bounds, len(factor.bounds) + 1
    upto = [(Condition(factor.name, upto=bound), range(1, place + 2)) for place, bound in enumerate(bounds)]
    over = [(Condition(factor.name, over=bound), range(place + 2, last + 1)) for place, bound in enumerate(bounds)]
    between = [
        (Condition(factor.name, over=low, upto=high), range(place + 2, place + 3))
        for place, (low, high) in enumerate(pairwise(bounds))
    ]
    return over if factor.begins else [*upto, *over, *between]
