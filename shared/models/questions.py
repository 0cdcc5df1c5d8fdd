"""One question on its way along a chain: what has ended how so far, and what follows from it. Pure."""

from dataclasses import dataclass, field, replace

from shared.core.asking import ModelFailed, ModelUnavailable
from shared.core.context import Call
from shared.core.failures import PROVIDERS, Failure
from shared.core.quality import QualityPolicy
from shared.core.remedies import DEFAULT, GOES_ON, Fallback, Remedies
from shared.core.tally import BLAMED
from shared.models.registry import Model


@dataclass(frozen=True, slots=True)
class ChainPolicy:
    """What a pipeline says about its chains."""

    remedies: Remedies = DEFAULT
    """What is done about a failure."""
    fallback: Fallback = Fallback.NEXT
    """Whether another model is asked while one is away."""
    quality: QualityPolicy = field(default_factory=QualityPolicy)
    """When a model is asked once more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How asking one model ended without an answer."""

    model: Model
    """The model."""
    failure: Failure | None
    """The failure class; None where its breaker or its limits let nothing through."""
    message: str
    """What failed."""
    after: float | None = None
    """Seconds until it is worth trying again, as far as anybody said."""
    estimated: bool = False
    """Nobody was asked: by the estimate the question is too long."""
    waits_for: str = ""
    """What has to come back, where it is not the model."""


@dataclass(slots=True)
class Asking:
    """What has happened so far to one question."""

    policy: ChainPolicy = field(default_factory=ChainPolicy)
    """What the pipeline says."""
    calls: list[Call] = field(default_factory=list)
    """Requests in order."""
    ended: list[Ended] = field(default_factory=list)
    """Models that gave no answer, in order."""

    def kept_back(self, failed: Ended) -> None:
        """The last request could not be made now; it was to mend this. Who waits is told of both.

        Only what is to be waited for counts: the model has not said its last word, and another one that fails as well
        must not make a dead letter of it.
        """
        last = self.ended.pop()
        self.ended.append(replace(last, message=f"{last.message}, after {failed.message}"))

    def too_small(self, model: Model) -> bool:
        """The question is known not to fit into the model."""
        return any(
            e.failure is Failure.TOKEN_LIMIT
            # An estimate speaks of its own model alone: each provider counts otherwise.
            and (e.model is model if e.estimated else model.context_window <= e.model.context_window)
            for e in self.ended
        )

    @property
    def goes_on(self) -> bool:
        """Whether another model may be asked after the last one."""
        failure = self.ended[-1].failure
        if self.policy.fallback is Fallback.WAIT and (failure is None or failure in PROVIDERS):
            return False
        return failure is None or self.policy.remedies.of(failure) in GOES_ON

    @property
    def able(self) -> list[Ended]:
        """What was said of the models into which the question fits."""
        return [e for e in self.ended if not self.too_small(e.model)]

    @property
    def faults(self) -> list[Ended]:
        """Where the provider was at fault, and not the question."""
        return [e for e in self.able if e.failure in BLAMED]

    def verdict(self, *, outage: bool) -> ModelFailed | ModelUnavailable:
        """Why there is no answer. What an outage kept from answering outweighs what others said of the question.

        `outage`: the breakers of all models at fault are open.
        """
        calls = tuple(self.calls)
        if faults := self.faults:
            last = faults[-1]
            if outage:
                return ModelUnavailable(last.model.breaker, last.message, last.after or 1.0, calls)
            return self._failed(last)
        if away := [e for e in self.able if e.failure is None]:
            first = away[0]
            return ModelUnavailable(first.waits_for or first.model.breaker, first.message, first.after or 1.0, calls)
        return self._failed(self.ended[-1])

    def _failed(self, last: Ended) -> ModelFailed:
        failure = last.failure or Failure.INTERNAL
        return ModelFailed(failure, last.message, last.after, tuple(self.calls), self.policy.remedies.of(failure))
