"""An answer after it was judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shared.core.failures import Failure

M = TypeVar("M")

NAMED_FIELDS = 8
"""Most fields that a message or a repair names."""
NAME_CHARACTERS = 60
"""Most characters of such a name: a model can invent longer ones."""

DOUBTED = frozenset({Failure.LOW_QUALITY, Failure.UNGROUNDED})
"""Failures beside which there is a value: it fits its schema, and serves where nothing better comes."""


@dataclass(frozen=True, slots=True)
class Checked(Generic[M]):
    """What an answer is worth: its value, or why it has none, or both where the value is in doubt."""

    value: M | None = None
    """The answer."""
    failure: Failure | None = None
    """How it failed; None where it is accepted. Beside a value only what is in DOUBTED."""
    message: str = ""
    """What was wrong, in one sentence."""
    fields: tuple[str, ...] = ()
    """The fields that were wrong or are missing, at most a few."""
    quality: float = 0.0
    """Score of the value, 0 to 1."""
    partial: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are complete in an answer that was cut off. They are no answer by themselves."""


def named(names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """As many names as are told, each of bounded length."""
    return tuple(dict.fromkeys(name[:NAME_CHARACTERS] for name in names))[:NAMED_FIELDS]
