"""The cheapest model first that fits a question: its context, the time there is, and the quality that is wanted.

Those that do not fit come last, in the order in which they were given: an estimate may be wrong, and a slow answer or a
poor one is for the pipeline to judge. Nobody is left out here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What a question wants of a model."""

    quality: float = 0.0
    """At least this, on the scale that the model registry uses."""
    seconds: float = math.inf
    """An answer within so many."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one model would be for the question."""

    name: str
    """The model."""
    cost: float
    """US dollars that the question and a usual answer cost."""
    tokens: int
    """Tokens of question and usual answer, as this model counts."""
    context_window: int
    """Tokens that it takes."""
    quality: float
    """What the model registry says of it."""
    seconds: float
    """How long its answers take; 0 where nobody knows yet."""

    def fits(self, wish: Wish) -> bool:
        """Whether it would do."""
        return self.tokens <= self.context_window and self.quality >= wish.quality and self.seconds <= wish.seconds


def cheapest_first(offers: Sequence[Offer], wish: Wish) -> list[str]:
    """Names in the order in which they should be asked."""
    places = {offer.name: place for place, offer in enumerate(offers)}
    ordered = sorted(offers, key=lambda o: (not o.fits(wish), o.cost if o.fits(wish) else 0.0, places[o.name]))
    return [offer.name for offer in ordered]
