"""What everybody says that a run has cost, and the largest distance between any two of them. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

PLACES = Decimal("0.000000001")
"""What is left of a float that sums decimals."""


@dataclass(frozen=True, slots=True)
class Told:
    """What everybody says that the run has cost, US dollars."""

    bill: Decimal
    """The provider: all that it charged."""
    charged: Mapping[str, Decimal]
    """Each call on the bill."""
    costs: Mapping[str, float]
    """`penstock costs`."""
    others: Mapping[str, float]
    """Of these, what is on no account of this run: whatever documents an earlier one has left on the way."""
    status: Mapping[str, Any]
    """`penstock status --batch`."""
    metrics: Decimal
    """The review desk's metrics, without their unsure part."""
    unsure: frozenset[str]
    """Names of the calls whose answer nobody saw."""

    @property
    def sums(self) -> dict[str, Decimal]:
        """What each of them says without the unsure calls."""
        doubtful = sum((cost for name, cost in self.charged.items() if name in self.unsure), Decimal(0))
        return {
            "bill": self.bill - doubtful,
            "costs": money(self.costs["sure_usd"]),
            "status": money(self.status["sure_usd"]) + money(self.others.get("sure_usd", 0.0)),
            "metrics": self.metrics,
        }

    def difference(self) -> Decimal:
        """The largest distance between any two of them."""
        sums = self.sums.values()
        return (max(sums) - min(sums)).quantize(PLACES)


def summed(exposition: str, name: str, mark: str) -> Decimal:
    """The sum of a metric over the series of this run's models."""
    lines = re.findall(rf"^{name}\{{([^}}]*)\}} (\S+)$", exposition, re.MULTILINE)
    return sum((money(float(value)) for labels, value in lines if mark in labels), Decimal(0))


def total(lines: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The sums of lines of an account."""
    sums = Counter[str]()
    for line in lines:
        sums.update({name: value for name, value in line.items() if isinstance(value, int | float)})
    return dict(sums)


def money(amount: float) -> Decimal:
    """A sum of floats as the decimal that it stands for."""
    return Decimal(repr(amount)).quantize(PLACES)
