"""How good an accepted answer is, from 0 to 1, and when it is worth asking once more: functions of values.

The score weighs what can be seen: whether the fields that are needed are there, whether quoted values stand in the
document, and a little of what the model says of itself. No other model is asked, for that would cost another call to
learn less than a look into the document tells.
"""

from dataclasses import dataclass, field

from shared.core.thresholds import Exceptions


@dataclass(frozen=True, slots=True)
class QualityPolicy:
    """When an answer is asked for once more."""

    retry_below: float = 0.7
    """A score below this is worth another try."""
    structured_below: float = 0.6
    """A score below this gets the structured prompt; between the two, another sample is wanted."""
    attempts: int = 3
    """Most requests to one model for one question, the first one and repairs included."""
    repairs: int = 1
    """Most of them that mend an answer of which nothing can be used."""
    usd: float = 0.5
    """US dollars spent on one question at one model, beyond which nothing better is sought."""
    exceptions: Exceptions = field(default_factory=Exceptions)
    """Types of documents and models for which the thresholds differ."""

    def of(self, kind: str, model: str) -> "QualityPolicy":
        """The policy for a document of that type, asked of that model."""
        return self.exceptions.applied(self, kind, (model,))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What can be seen of an answer."""

    needed: int = 0
    """Fields that must be there."""
    missing: tuple[str, ...] = ()
    """Those of them that are not."""
    quoted: int = 0
    """Values that claim to stand in the document."""
    invented: tuple[str, ...] = ()
    """Fields whose values do not stand there."""
    confidence: float | None = None
    """What the model says of itself; None where it was not asked."""
    says_nothing: bool = False
    """Every field is empty or a placeholder."""

    @property
    def is_shell(self) -> bool:
        """The form of an answer without one. Where nothing is needed, nothing may well be the answer."""
        return self.says_nothing and self.needed > 0


NEEDED_WEIGHT = 0.5
GROUND_WEIGHT = 0.3
CONFIDENCE_WEIGHT = 0.2
"""What each part weighs, among those that are known. A model's word about itself weighs least: it is no probability."""
INVENTED_AT_MOST = 0.65
"""Highest score of an answer that invents anything: however much else is right, somebody has to look again."""


def quality(evidence: Evidence) -> float:
    """The score."""
    if evidence.is_shell:
        return 0.0
    parts: list[tuple[float, float]] = []
    if evidence.needed:
        parts.append((NEEDED_WEIGHT, 1 - len(evidence.missing) / evidence.needed))
    if evidence.quoted:
        parts.append((GROUND_WEIGHT, 1 - len(evidence.invented) / evidence.quoted))
    if evidence.confidence is not None:
        parts.append((CONFIDENCE_WEIGHT, min(max(evidence.confidence, 0.0), 1.0)))
    weight = sum(weight for weight, _ in parts)
    score = sum(weight * share for weight, share in parts) / weight if parts else 1.0
    return min(score, INVENTED_AT_MOST) if evidence.invented else score
