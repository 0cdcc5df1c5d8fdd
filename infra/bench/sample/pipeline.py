"""Three stages with the same events, each a pipeline of its own.

work    a slow call that costs nothing and is noted, or an attempt that fails as told
ask     a question to the model chain that the document names
stamp   nothing but the way through the engine
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from infra.bench.notes import BEGIN, END, FAILED, RECORDED, Notebook, answered_by, notebook
from infra.bench.sample.events import Job, JobDone
from shared.core.context import Context, Prompt
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, Pipeline, edge, on_failure
from shared.core.outcome import Emit, Outcome, Retry
from shared.core.retry import RetryPolicy
from shared.core.stage import Stage, stage

NORTH, SOUTH = "north", "south"
"""Two model chains of one model each."""
NOTES = "BENCH_NOTES"
"""Environment variable with the file in which calls are noted."""

WORK = stage("work", takes=Job, gives=JobDone)
ASK = stage("ask", takes=Job, gives=JobDone, needs=(NORTH, SOUTH))
STAMP = stage("stamp", takes=Job, gives=JobDone)


def alone(step: Stage[Any, Any]) -> Pipeline:
    """A pipeline of just this stage."""
    return Pipeline(
        f"bench_{step.name}",
        flow=(edge(step, RESULTS),),
        failures=(on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),),
        retries=RetryPolicy(tiers=(1.0, 3.0), first_backoff=1.0),
    )


class Answered(BaseModel):
    """What a model is asked for."""

    summary: str
    confidence: float


@asynccontextmanager
async def noting(_: Any) -> AsyncIterator[Notebook]:
    """The process's notebook, for its life."""
    with notebook(Path(os.environ[NOTES])) as opened:
        yield opened


@WORK.handler(opens=noting)
async def work(job: Job, ctx: Context) -> Outcome[JobDone]:
    """Make a call that takes its time, once the attempts that must fail have failed."""
    notes = ctx.resource(Notebook)

    def note(kind: str) -> None:
        notes.note(kind, job.document_id, job.sequence, ctx.attempt)

    async def call() -> int:
        note(BEGIN)
        await asyncio.sleep(job.seconds)
        note(END)
        return job.sequence

    if ctx.attempt <= job.failures:
        note(FAILED)
        return Retry(Failure.OVERLOADED, f"attempt {ctx.attempt} of {job.failures} that fail")
    sequence = await ctx.once(f"call-{job.sequence}", call, kind=int)
    note(RECORDED)
    return Emit(JobDone(document_id=job.document_id, sequence=sequence))


@ASK.handler(opens=noting)
async def ask(job: Job, ctx: Context) -> Outcome[JobDone]:
    """Ask the model that the document needs."""
    notes = ctx.resource(Notebook)
    text = f"Task: summarization\n\n{job.document_id}\n{job.padding.decode()}".rstrip()
    prompt = Prompt("bench@1", "You summarize.", text, "summarization")

    def note(kind: str) -> None:
        notes.note(kind, job.document_id, job.sequence, ctx.attempt)

    note(BEGIN)
    answer = await ctx.models.ask(job.chain, prompt, Answered)
    note(answered_by(answer.calls[-1].model))
    note(END)
    return Emit(JobDone(document_id=job.document_id, sequence=job.sequence))


@STAMP
def stamp(job: Job, ctx: Context) -> Outcome[JobDone]:
    """Hand it on."""
    return Emit(JobDone(document_id=job.document_id, sequence=job.sequence))
