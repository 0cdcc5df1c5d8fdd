"""Who does a task, and whether what came of it is good enough: the decisions of a simple supervisor. Pure.

    a specialist chain for the task  --score above 0.7-->  accepted
    else the general chain           --score above 0.5-->  accepted
    else                                                   a person

A task without specialists goes to the general chain at once. Of two answers the better one stands, whoever gave it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shared.core.thresholds import Exceptions


class Decision(StrEnum):
    """Whose answer was accepted; the value stands in the event."""

    SPECIALIST = "specialist"
    GENERAL = "general"
    PERSON = "person"
    """Nobody's: a person decides, with the best answer before them."""


@dataclass(frozen=True, slots=True)
class SupervisorPolicy:
    """From where on an answer is accepted."""

    specialist_above: float = 0.7
    """Score that a specialist's answer must exceed; else the general chain is asked too."""
    general_above: float = 0.5
    """Score that the best answer must exceed in the end; else a person decides."""
    exceptions: Exceptions = field(default_factory=Exceptions)
    """Types of documents and models for which the thresholds differ."""

    def of(self, kind: str) -> "SupervisorPolicy":
        """The policy for a document of that type; what is said of models still holds in it."""
        return self.exceptions.applied(self, kind)

    def asked(self, tried: "Tried") -> "SupervisorPolicy":
        """The policy for an answer of just those models."""
        return self.exceptions.applied(self, models=tried.models)


@dataclass(frozen=True, slots=True)
class Tried:
    """One chain's answer."""

    chain: str
    """The chain that gave it."""
    score: float
    """What it is worth, 0 to 1."""
    models: tuple[str, ...] = ()
    """Who gave it, as their calls name them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the supervisor says in the end."""

    decision: Decision
    """Whose answer stands, or a person's."""
    best: int
    """Which of the answers is the best, from 0."""


def chains_for(task: str, general: str, *, specialised: bool) -> tuple[str, ...]:
    """The chains to ask in order; `specialised`: there is a chain of the task's own name."""
    return (task, general) if specialised and task != general else (general,)


def good_enough(policy: SupervisorPolicy, tried: Tried, general: str) -> bool:
    """Whether nobody else need be asked."""
    policy = policy.asked(tried)
    return tried.score > (policy.general_above if tried.chain == general else policy.specialist_above)


def judged(policy: SupervisorPolicy, tried: Sequence[Tried], general: str) -> Verdict:
    """The best of the answers, when nobody else is asked; of equal ones the first, for it is the specialist's."""
    best = max(range(len(tried)), key=lambda number: tried[number].score)
    if tried[best].score <= policy.asked(tried[best]).general_above:
        return Verdict(Decision.PERSON, best)
    return Verdict(Decision.GENERAL if tried[best].chain == general else Decision.SPECIALIST, best)
