"""What a model's tokens cost, and since when: a call costs what held on the day on which it was made.

A provider that changes a price does not change what was paid before, so the old price stays in the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from shared.core.usage import Usage

MILLION = 1_000_000
"""Tokens that a price is for."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, from one day on."""

    since: date = date.min
    """First day on which it holds, UTC."""
    input: Decimal = Decimal(0)
    """Of the question."""
    output: Decimal = Decimal(0)
    """Of the answer, thoughts included."""
    cached: Decimal | None = None
    """Of what the provider had read before; None: the same as the rest of the question."""
    written: Decimal | None = None
    """Of what it put aside to be found again; None: the same as the rest of the question."""

    def of(self, usage: Usage) -> Decimal:
        """US dollars for one call."""
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.written is None else self.written
        asked = usage.fresh_tokens * self.input + usage.cached_tokens * cached + usage.written_tokens * written
        return (asked + usage.output_tokens * self.output) / MILLION


FREE = (Price(),)
"""The list of a model that costs nothing."""


def price_on(prices: Sequence[Price], day: date) -> Price:
    """The price that holds on a day; before the first one that is known, the first."""
    return next((price for price in reversed(prices) if price.since <= day), prices[0])


def problems(prices: Sequence[Price], today: date) -> list[str]:
    """What is wrong with a list, each in a sentence; a change that is announced for a later day is nothing wrong."""
    if not prices:
        return ["it is empty: give the model a price"]
    found = []
    for before, after in pairwise(prices):
        if after.since == before.since:
            found.append(f"two prices hold since {after.since}: take one out")
        elif after.since < before.since:
            found.append(f"the price since {after.since} stands behind the one since {before.since}: the older first")
    if prices[0].since > today:
        found.append(f"the first price begins on {prices[0].since}, and none holds before: add the one that holds now")
    return found
