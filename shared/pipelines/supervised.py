"""A task under a supervisor: its specialists first, then the general chain, then a person; and what came of it.

What heals is raised, and the record comes again. What fails for good is a value: other tasks of the same document may
have been done, and what they cost must not be thrown away.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from shared.core.asking import ModelFailed, ModelUnavailable
from shared.core.context import Call, Context
from shared.core.failures import PROVIDERS
from shared.core.remedies import GOES_ON
from shared.core.supervisor import SupervisorPolicy, Tried, Verdict, chains_for, good_enough, judged
from shared.pipelines.jobs import Given, Job, given

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Done(Generic[M]):
    """A task with an answer, good enough or not."""

    job: Job[M]
    """The task."""
    given: Given[M]
    """The best answer, with every request that was made, also for others."""
    verdict: Verdict
    """Whose it is, or that a person decides."""
    tried: tuple[Tried, ...]
    """What each chain's answer was worth, in order."""
    models: tuple[str, ...]
    """Who gave the best answer."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A task without an answer, for good."""

    job: Job[object]
    """The task."""
    error: ModelFailed
    """Why."""

    def __str__(self) -> str:
        return f"{self.job}: {self.error.failure.value}: {self.error.message}"


@dataclass(slots=True)
class Rounds(Generic[M]):
    """What has come of one task so far."""

    tried: list[Tried] = field(default_factory=list)
    """Chains that answered."""
    answers: list[Given[M]] = field(default_factory=list)
    """Their answers."""
    calls: list[Call] = field(default_factory=list)
    """Every request."""
    error: ModelFailed | None = None
    """How the last chain failed that did."""
    away: ModelUnavailable | None = None
    """A model that was away, and might have answered."""

    @property
    def asked(self) -> tuple[str, ...]:
        """Models that were asked: they would say the same again."""
        return tuple(dict.fromkeys(call.model for call in self.calls))


async def supervised(ctx: Context, job: Job[M], text: str, general: str, policy: SupervisorPolicy) -> Done[M] | Missing:
    """Do the task. Raises what heals: ModelFailed, Unavailable."""
    prompt = job.prompt(text)
    rounds: Rounds[M] = Rounds()
    specialist, last = (ctx.models.outlook(chain, prompt, job.schema) for chain in (job.task, general))
    # Specialists whose windows are too small would be asked in parts: a model that sees the whole knows more.
    specialised = bool(specialist.models) and (specialist.fits or not last.fits)
    for chain in chains_for(job.task, general, specialised=specialised):
        outlook = ctx.models.outlook(chain, prompt, job.schema, besides=rounds.asked)
        if rounds.calls and not outlook.models:
            break
        try:
            answer = await given(ctx, chain, job, text, rounds.asked)
        except ModelFailed as error:
            rounds.calls += error.calls
            rounds.error = error
            if error.remedy not in GOES_ON or (outlook.waits and error.failure in PROVIDERS):
                break
        except ModelUnavailable as error:
            # The general chain may have a model that is not away, unless the pipeline waits for the first one.
            if chain == general or outlook.waits:
                raise
            rounds.calls += error.calls
            rounds.away = error
        else:
            rounds.calls += answer.calls
            rounds.answers.append(answer)
            rounds.tried.append(Tried(chain, job.score(answer.value), answer.models))
            if good_enough(policy, rounds.tried[-1], general):
                break
    return _ended(job, rounds, judged(policy, rounds.tried, general) if rounds.tried else None)


def _ended(job: Job[M], rounds: Rounds[M], verdict: Verdict | None) -> Done[M] | Missing:
    calls = tuple(rounds.calls)
    if verdict is not None:
        best = rounds.answers[verdict.best]
        return Done(job, replace(best, calls=calls), verdict, tuple(rounds.tried), best.models)
    if rounds.away is not None:
        raise rounds.away
    assert rounds.error is not None
    error = rounds.error
    failed = ModelFailed(error.failure, error.message, error.after, calls, error.remedy)
    if failed.heals:
        raise failed
    return Missing(job, failed)  # type: ignore[arg-type]


def worst(missing: Iterable[Missing]) -> ModelFailed:
    """Why nothing at all could be done: the first task's failure, with every request that was made."""
    errors = [each.error for each in missing]
    calls = tuple(call for error in errors for call in error.calls)
    return ModelFailed(errors[0].failure, errors[0].message, errors[0].after, calls, errors[0].remedy)
