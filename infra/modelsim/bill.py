"""The simulated models with their prices, and the provider's own account of what was asked, answered and charged."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class SimModel:
    """One simulated model."""

    context_window: int
    """Tokens."""
    input_price: Decimal
    """US dollars per million tokens."""
    output_price: Decimal
    """US dollars per million tokens."""


CATALOG = {
    "sim-large": SimModel(128_000, Decimal("2.00"), Decimal("8.00")),
    "sim-small": SimModel(8_000, Decimal("0.10"), Decimal("0.40")),
    "sim-anthropic": SimModel(200_000, Decimal("3.00"), Decimal("15.00")),
}
"""Model id to model. Any other id that begins with `sim-` is served like sim-large."""


def find(model: str) -> SimModel | None:
    """The model of that id; None where the provider has no such model."""
    return CATALOG.get(model, CATALOG["sim-large"] if model.startswith("sim-") else None)


def tokens(text: str) -> int:
    """An estimate of a text's tokens: four characters each."""
    return -(-len(text) // 4)


@dataclass(slots=True)
class Line:
    """One model's line of the bill."""

    requests: int = 0
    """Everything that arrived, failed or not."""
    calls: int = 0
    """What was answered, and is charged."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)

    def charge(self, model: SimModel, input_tokens: int, output_tokens: int) -> None:
        """Add an answered call."""
        self.calls += 1
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        self.cost += (input_tokens * model.input_price + output_tokens * model.output_price) / 1_000_000


@dataclass(slots=True)
class Bill:
    """All models' lines."""

    lines: dict[str, Line] = field(default_factory=dict)

    def line(self, model: str) -> Line:
        """A model's line, begun where there is none."""
        return self.lines.setdefault(model, Line())

    def report(self) -> dict[str, Any]:
        """As JSON; money is a string, because a float cannot hold a cent."""
        models = {
            name: {
                "requests": line.requests,
                "calls": line.calls,
                "input_tokens": line.input_tokens,
                "output_tokens": line.output_tokens,
                "cost_usd": f"{line.cost:f}",
            }
            for name, line in sorted(self.lines.items())
        }
        total = sum((line.cost for line in self.lines.values()), Decimal(0))
        return {"models": models, "calls": sum(line.calls for line in self.lines.values()), "cost_usd": f"{total:f}"}
