"""The simulated models with their prices, and the provider's own account of what was asked, answered and charged."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shared.core.usage import Usage

MOST_ITEMS = 100_000
"""Named calls that are kept one by one."""


@dataclass(frozen=True, slots=True)
class SimModel:
    """One simulated model."""

    context_window: int
    """Tokens."""
    input_price: Decimal
    """US dollars per million tokens."""
    output_price: Decimal
    """US dollars per million tokens."""
    cached_price: Decimal | None = None
    """The same for instructions that it has read before; None: it has no cache."""
    written_price: Decimal = Decimal(0)
    """The same for instructions that it puts aside, on a wire that tells of it."""
    thoughts: int = 0
    """Tokens that it thinks before it answers; they are billed as output."""

    def price(self, used: Usage) -> Decimal:
        """US dollars for one answer."""
        cached = used.cached_tokens * (self.cached_price or Decimal(0)) + used.written_tokens * self.written_price
        return (used.fresh_tokens * self.input_price + cached + used.output_tokens * self.output_price) / 1_000_000


CATALOG = {
    "sim-large": SimModel(128_000, Decimal("2.00"), Decimal("8.00")),
    "sim-small": SimModel(8_000, Decimal("0.10"), Decimal("0.40")),
    "sim-anthropic": SimModel(200_000, Decimal("3.00"), Decimal("15.00")),
    "sim-thrifty": SimModel(128_000, Decimal("2.00"), Decimal("8.00"), Decimal("0.50"), Decimal("2.50"), 48),
}
"""Model id to model. An id that goes on behind one of these is served like it, any other `sim-` like sim-large."""


def find(model: str) -> SimModel | None:
    """The model of that id; None where the provider has no such model."""
    if model in CATALOG:
        return CATALOG[model]
    like = next((name for name in CATALOG if model.startswith(f"{name}-")), "sim-large")
    return CATALOG[like] if model.startswith("sim-") else None


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

    cached_tokens: int = 0
    written_tokens: int = 0
    reasoning_tokens: int = 0

    def charge(self, model: SimModel, used: Usage) -> Decimal:
        """Add an answered call; gives what it costs."""
        self.calls += 1
        self.input_tokens += used.input_tokens
        self.output_tokens += used.output_tokens
        self.cached_tokens += used.cached_tokens
        self.written_tokens += used.written_tokens
        self.reasoning_tokens += used.reasoning_tokens
        cost = model.price(used)
        self.cost += cost
        return cost


@dataclass(slots=True)
class Bill:
    """All models' lines."""

    lines: dict[str, Line] = field(default_factory=dict)

    items: dict[str, Decimal] = field(default_factory=dict)
    """What each call cost whose client gave it a name, the latest of them."""
    known: set[tuple[str, str]] = field(default_factory=set)
    """Model and instructions that are in its cache."""

    def used(self, model: str, instructions: str, asked: int, *, writes: bool) -> Usage:
        """How the tokens of a question are counted, its instructions being in the cache or not."""
        served = find(model)
        if served is None or served.cached_price is None:
            return Usage(asked)
        if (model, instructions) in self.known:
            return Usage(asked, cached_tokens=tokens(instructions))
        self.known.add((model, instructions))
        return Usage(asked, written_tokens=tokens(instructions) if writes else 0)

    def charge(self, model: str, name: str, used: Usage) -> None:
        """Add an answered call."""
        cost = self.line(model).charge(find(model) or CATALOG["sim-large"], used)
        if name:
            self.items[name] = self.items.get(name, Decimal(0)) + cost
            if len(self.items) > MOST_ITEMS:
                del self.items[next(iter(self.items))]

    def line(self, model: str) -> Line:
        """A model's line, begun where there is none."""
        return self.lines.setdefault(model, Line())

    def report(self, *, items: bool = False) -> dict[str, Any]:
        """As JSON, with each named call where that is wanted; money is a string, because a float cannot hold a cent."""
        models = {
            name: {
                "requests": line.requests,
                "calls": line.calls,
                "input_tokens": line.input_tokens,
                "output_tokens": line.output_tokens,
                "cached_tokens": line.cached_tokens,
                "written_tokens": line.written_tokens,
                "reasoning_tokens": line.reasoning_tokens,
                "cost_usd": f"{line.cost:f}",
            }
            for name, line in sorted(self.lines.items())
        }
        total = sum((line.cost for line in self.lines.values()), Decimal(0))
        calls = sum(line.calls for line in self.lines.values())
        told = {"items": {name: f"{cost:f}" for name, cost in self.items.items()}} if items else {}
        return {"models": models, "calls": calls, "cost_usd": f"{total:f}", **told}
