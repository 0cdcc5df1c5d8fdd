"""Thresholds that differ from a policy's own by the type of a document and by the model that answered. Pure.

    the policy  <-  what is said of the document's type  <-  what is said of the model

A model's word outweighs the type's, because it says how far that model's own scores can be believed. Where several
models had a part in an answer the highest threshold counts: all of ours are such that higher is stricter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

P = TypeVar("P")

Levels = Mapping[Any, float]
"""Name of a threshold to its value."""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Where a policy's thresholds do not hold."""

    types: Mapping[Any, Levels] = field(default_factory=dict)
    """Document type to the thresholds that differ for it."""
    models: Mapping[str, Levels] = field(default_factory=dict)
    """Model, as its calls name it, to the thresholds that differ for it."""

    def applied(self, policy: P, kind: str = "", models: Iterable[str] = ()) -> P:
        """The policy for a document of that type and an answer of those models; `policy` is a dataclass."""
        typed = self.types.get(kind, {})
        said = [self.models.get(model, {}) for model in models] or [{}]
        names = {*typed, *(name for levels in said for name in levels)}
        if not names:
            return policy
        usual = {name: typed.get(name, getattr(policy, name)) for name in names}
        highest: Any = {name: max(levels.get(name, usual[name]) for levels in said) for name in names}
        return replace(policy, **highest)  # type: ignore[type-var]
