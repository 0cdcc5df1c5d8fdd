"""One task on one document, asked of a chain: whole where it fits, in parts and merged where it does not.

A part is a step (`ctx.once`): when one fails in a way that heals, the record comes again, and only that part is asked
again. A part that fails for good is missing from the result, and the result says so.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from shared.core.asking import ModelFailed
from shared.core.context import REUSED, Answer, Call, Context, Prompt
from shared.core.failures import Failure, Remedy
from shared.core.splitting import SMALLEST_ROOM, Part, split
from shared.core.tokens import rough

M = TypeVar("M")

MOST_PARTS = 64
"""Parts beyond which a document is not asked about: it would cost more than anybody expects of one document."""


@dataclass(frozen=True, slots=True)
class Job(Generic[M]):
    """What is wanted of a document, and how it is put to a model."""

    task: str
    """Task it serves; a chain of that name has its specialists."""
    prompt: Callable[[str], Prompt]
    """The question about a text, or a part of one."""
    schema: type[M]
    """What an answer is."""
    score: Callable[[M], float]
    """What an answer is worth, 0 to 1."""
    merge: Callable[[Sequence[M]], M] | None = None
    """Puts the answers about all parts together, in the order of the parts; None: it cannot be asked in parts."""
    question: str = ""
    """The sender's question, where the task is one."""

    def __str__(self) -> str:
        return f"{self.task}:{self.question}" if self.question else self.task


@dataclass(frozen=True, slots=True)
class Given(Generic[M]):
    """A chain's answer, of one piece or merged."""

    value: M
    """The answer."""
    calls: tuple[Call, ...]
    """Every request it took."""
    missing: tuple[str, ...] = ()
    """Parts of the document that it knows nothing of, and why."""

    @property
    def models(self) -> tuple[str, ...]:
        """Who gave it."""
        sure = [call.model for call in self.calls if call.outcome in ("ok", REUSED)]
        # An answer in doubt stands where nothing better came.
        return tuple(dict.fromkeys(sure or [call.model for call in self.calls[-1:]]))


async def given(ctx: Context, chain: str, job: Job[M], text: str, besides: Collection[str] = ()) -> Given[M]:
    """The chain's answer. Raises what `Models.ask` raises."""
    prompt = job.prompt(text)
    outlook = ctx.models.outlook(chain, prompt, job.schema, besides=besides)
    if outlook.fits or not outlook.splits or job.merge is None:
        try:
            answer = await ctx.models.ask(chain, prompt, job.schema, besides=besides)
            return Given(answer.value, answer.calls)
        except ModelFailed as error:
            if error.remedy is not Remedy.SPLIT or job.merge is None:
                raise
            # The provider counts more than was thought; the outlook has learned of it, but it may learn more.
            made, most = error.calls, rough(text) // 2
            outlook = ctx.models.outlook(chain, prompt, job.schema, besides=besides)
    else:
        made, most = (), rough(text)
    room = min(outlook.room - (rough(prompt.user) - rough(text)), most)
    return await _in_parts(ctx, (chain, besides), job, _parts(job, text, room), made)


def _parts(job: Job[M], text: str, room: int) -> tuple[Part, ...]:
    if room < SMALLEST_ROOM or rough(text) > room * MOST_PARTS:
        raise ModelFailed(
            Failure.TOKEN_LIMIT, f"{job}: more than {MOST_PARTS} parts: give its chain a model with a larger window"
        )
    return split(text, room)


async def _in_parts(
    ctx: Context, whom: tuple[str, Collection[str]], job: Job[M], parts: Sequence[Part], made: tuple[Call, ...]
) -> Given[M]:
    """Ask about each part, one after the other, and merge."""
    chain, besides = whom
    answers: list[Answer[M]] = []
    calls, missing, last = list(made), [], None
    for part in parts:
        try:
            answer = await _of_part(ctx, chain, job, part, besides)
        except ModelFailed as error:
            if error.heals:
                raise
            missing.append(f"{job}, {part}: {error.failure.value}: {error.message}")
            calls += error.calls
            last = error
        else:
            answers.append(answer)
            calls += answer.calls
    if last is not None and not answers:
        raise ModelFailed(last.failure, last.message, last.after, tuple(calls), last.remedy)
    assert job.merge is not None
    return Given(job.merge([answer.value for answer in answers]), tuple(calls), tuple(missing))


async def _of_part(ctx: Context, chain: str, job: Job[M], part: Part, besides: Collection[str]) -> Answer[M]:
    prompt = replace(job.prompt(part.text), whole=False)

    async def ask() -> Answer[M]:
        return await ctx.models.ask(chain, prompt, job.schema, besides=besides)

    # What was asked belongs to the step's name: another wording, or another way to cut, is another step.
    asked = hashlib.sha256("\0".join((prompt.system, prompt.user, *sorted(besides))).encode("utf-8", "surrogatepass"))
    key = f"{job.task}/{chain}/{prompt.name}/{asked.hexdigest()[:16]}"
    return await ctx.once(key, ask, kind=Answer[job.schema])  # type: ignore[name-defined]
