"""What a process remembers of its models beside their breakers: who was silent in which work, how they count tokens."""

from collections import OrderedDict

from shared.core.failures import Failure
from shared.core.tokens import Ratio, capacity, estimate
from shared.models.registry import Model

SILENT = frozenset({Failure.TIMEOUT})
"""Classes in which a model gave no sign."""

REMEMBERED = 10_000
"""Works of which it is remembered that a model was silent in them; the oldest is forgotten first."""


class SilentRoutes:
    """Models that gave no sign in the work on a record: within it the question is not sent to them again.

    Kept in memory: a record and its retries stay with one process. Where that ends, they are asked once more.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._silent: OrderedDict[str, set[str]] = OrderedDict()
        self._most = most

    def note(self, operation: str, model: Model) -> None:
        """It did not answer in time."""
        self._silent.setdefault(operation, set()).add(model.name)
        self._silent.move_to_end(operation)
        if len(self._silent) > self._most:
            self._silent.popitem(last=False)

    def left(self, operation: str, models: tuple[Model, ...]) -> tuple[Model, ...]:
        """The models that were not silent in this work."""
        silent = self._silent.get(operation, set())
        return tuple(model for model in models if model.name not in silent)

    def route(self, operation: str, models: tuple[Model, ...]) -> tuple[Model, ...]:
        """The models to be asked: those that are left, or all where none is, for then there is no other way."""
        left = self.left(operation, models)
        if not left:
            self._silent.pop(operation, None)
        return left or models


class Windows:
    """How long a question may be for each model, by what their providers have counted so far."""

    def __init__(self) -> None:
        self._ratios: dict[str, Ratio] = {}

    def tokens(self, model: Model, roughly: int) -> int:
        """Tokens of a question, at most."""
        return estimate(self._ratio(model), roughly)

    def fits(self, model: Model, roughly: int, share: float = 1.0) -> bool:
        """Whether the question leaves room for the longest answer; `share` of its estimated tokens is counted."""
        return self.tokens(model, roughly) * share <= model.context_window - model.max_output

    def room(self, model: Model) -> int:
        """Rough tokens of the longest question that surely fits."""
        return capacity(self._ratio(model), model.context_window - model.max_output)

    def learn(self, model: Model, roughly: int, counted: int) -> None:
        """The provider counted so many tokens."""
        self._ratios[model.name] = self._ratio(model).learned(roughly, counted)

    def refused(self, model: Model, roughly: int) -> None:
        """The provider found it too long."""
        self._ratios[model.name] = self._ratio(model).refused(roughly, model.context_window)

    def _ratio(self, model: Model) -> Ratio:
        return self._ratios.get(model.name, Ratio())
