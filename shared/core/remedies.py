"""A pipeline's table of remedies: the defaults, what it changes about them, and what follows from a class by it.

    remedy     while a chain of models is asked          when no model has answered, and in a stage without models
    retry      the next model                            the same record again, later, until its attempts are spent
    repair     another request to the same model, then   a dead letter
               the next one
    fallback   the next model                            a dead letter; `auth` and `model_unknown`, which somebody else
                                                         than the document can mend, are retried
    split      the next model with a larger window       the stage asks in parts where it can, else a dead letter
    park       the next model                            the record waits, and spends no attempt
    review     no other model                            a person, where the stage has something to show, else dead
    dead       no other model                            a dead letter

Which models are next is also a matter of `Fallback`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.core.errors import Misconfigured
from shared.core.failures import DETERMINISTIC, PROVIDERS, REMEDIES, Failure, Remedy
from shared.core.outcome import DeadLetter, Outcome, Park, Retry, Review

MENDED_ELSEWHERE = frozenset({Failure.AUTH, Failure.MODEL_UNKNOWN})
"""Classes that another key or another address mends: the document must not be dead before somebody has set it."""

ANSWERS = frozenset(
    {
        Failure.REFUSAL,
        Failure.MALFORMED_JSON,
        Failure.SCHEMA_VIOLATION,
        Failure.TRUNCATED,
        Failure.UNGROUNDED,
        Failure.LOW_QUALITY,
        Failure.LOW_CONFIDENCE,
    }
)
"""Classes in which a model has answered, and the answer is no use."""

WAITED_FOR = frozenset({Failure.STORE_UNAVAILABLE, Failure.BUDGET_EXCEEDED})
"""Classes that nothing but waiting helps: another remedy would make a graveyard of an outage."""

OUTSIDE = frozenset({Failure.UNKNOWN_SCHEMA, Failure.REFERENCE_MISSING})
"""Classes that end when somebody brings what was missing."""

GOES_ON = frozenset({Remedy.RETRY, Remedy.REPAIR, Remedy.FALLBACK, Remedy.SPLIT, Remedy.PARK})
"""Remedies under which another model of the chain may be asked."""


class Fallback(StrEnum):
    """What is done while a model's provider is at fault, or its breaker is open."""

    NEXT = "next"
    """The next model of the chain is asked at once; a document waits only when none is left."""
    WAIT = "wait"
    """The document waits for the first model of the chain: rather a late answer than another model's."""


def allowed(failure: Failure) -> frozenset[Remedy]:
    """The remedies that the class may be given; its default is among them."""
    if failure in WAITED_FOR:
        return frozenset({Remedy.PARK})
    if failure in PROVIDERS:
        return frozenset({Remedy.RETRY, Remedy.FALLBACK, Remedy.PARK, Remedy.REVIEW, Remedy.DEAD})
    if failure in ANSWERS:
        return frozenset({Remedy.REPAIR, Remedy.FALLBACK, Remedy.REVIEW, Remedy.DEAD})
    if failure is Failure.TOKEN_LIMIT:
        return frozenset({Remedy.SPLIT, Remedy.FALLBACK, Remedy.REVIEW, Remedy.DEAD})
    if failure is Failure.CONTENT_POLICY:
        return frozenset({Remedy.FALLBACK, Remedy.REVIEW, Remedy.DEAD})
    if failure in OUTSIDE:
        return frozenset({Remedy.RETRY, Remedy.PARK, Remedy.DEAD})
    return frozenset({Remedy.DEAD}) if failure in DETERMINISTIC else frozenset({Remedy.RETRY, Remedy.DEAD})


@dataclass(frozen=True, slots=True)
class Remedies:
    """Failure class to remedy, for one pipeline. Raises Misconfigured where a class is given what cannot help it."""

    changed: Mapping[Failure, Remedy] = field(default_factory=dict)
    """Where it differs from `REMEDIES`."""

    def __post_init__(self) -> None:
        for failure, remedy in self.changed.items():
            if remedy not in allowed(failure):
                raise Misconfigured(f"remedies: {failure.value} = {remedy.value!r}: {_why_not(failure, remedy)}")

    def of(self, failure: Failure) -> Remedy:
        """The remedy of a class."""
        return self.changed.get(failure, REMEDIES[failure])

    def under(self, remedy: Remedy) -> frozenset[Failure]:
        """The classes with this remedy."""
        return frozenset(failure for failure in Failure if self.of(failure) is remedy)

    def with_changes(self, changed: Mapping[Failure, Remedy]) -> "Remedies":
        """The same table with these remedies on top."""
        return Remedies({**self.changed, **changed})

    def failing(self, failure: Failure, message: str, after: float | None = None) -> Retry | DeadLetter | Park:
        """What becomes of a record whose work has failed; what no stage can mend by itself is a dead letter."""
        remedy = self.of(failure)
        if remedy is Remedy.PARK:
            return Park(failure.value, message, after or 1.0)
        return Retry(failure, message, after) if heals(failure, remedy) else DeadLetter(failure, message)

    def applied(self, outcome: Outcome[Any]) -> Outcome[Any]:
        """An outcome as a handler gave it, after the table: what was changed there outweighs what the handler said."""
        match outcome:
            case Retry(failure, message) if failure in DETERMINISTIC:
                return _traced(DeadLetter(failure, message), outcome)
            case Retry(failure, message, after) if failure in self.changed:
                return _traced(self.failing(failure, message, after), outcome)
            case DeadLetter(failure, message) if failure in self.changed:
                return _traced(self.failing(failure, message), outcome)
            case Review(reason, failure=failure) if failure and self.changed.get(failure) is Remedy.DEAD:
                return DeadLetter(failure, reason)
            case _:
                return outcome


def _traced(changed: Retry | DeadLetter | Park, given: Retry | DeadLetter) -> Outcome[Any]:
    """With what was kept beside the outcome that it takes the place of."""
    return changed if isinstance(changed, Park) else replace(changed, calls=given.calls, causes=given.causes)


def heals(failure: Failure, remedy: Remedy) -> bool:
    """Whether what failed so may succeed another time, unchanged."""
    return remedy in (Remedy.RETRY, Remedy.PARK) or (remedy is Remedy.FALLBACK and failure in MENDED_ELSEWHERE)


def _why_not(failure: Failure, remedy: Remedy) -> str:
    """What is wrong with giving the class that remedy, and what it may be given."""
    may = f"give it {' or '.join(sorted(allowed(failure)))}"
    if failure in DETERMINISTIC and remedy in (Remedy.RETRY, Remedy.PARK):
        return f"sent again unchanged it fails again; {may}"
    if remedy in (Remedy.REPAIR, Remedy.FALLBACK, Remedy.SPLIT, Remedy.REVIEW):
        return f"there is nothing of that kind to do about it; {may}"
    return f"only waiting helps; {may}" if failure in WAITED_FOR else f"it would wait for nothing; {may}"


DEFAULT = Remedies()
"""The table as `REMEDIES` has it."""
