"""A pipeline whose documents fail for reasons that can be mended: `python -m infra.bench.failures.mended read|judge`.

    read    one paid call
    judge   a paid call, then the document's cause, if it has one and that is not mended, then another paid call

So a dead letter of `judge` has two calls behind it that must not be paid again, and one before it.
BENCH_PIPELINE gives each run a pipeline of its own; BENCH_MENDED names the causes that are mended, with commas.
"""

import os
import sys
from dataclasses import replace

from pydantic import BaseModel

from infra.bench.sample.events import Job, JobDone
from shared.core.context import Context, Prompt
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, Pipeline, edge, on_failure
from shared.core.outcome import DeadLetter, Emit, Outcome
from shared.core.stage import stage
from shared.runtime.stage_service import serve

CHAIN = "reader"
"""The one model chain."""
PIPELINE, MENDED = "BENCH_PIPELINE", "BENCH_MENDED"
"""Environment variables."""
CAUSES = {
    "torn": (Failure.CORRUPT, "the cross table of '{0}.pdf' is torn at 0x{1:06x}"),
    "pages": (Failure.CORRUPT, "page {1} of '{0}.pdf' cannot be read"),
    "password": (Failure.ENCRYPTED, "'{0}.pdf' wants a password"),
    "refused": (Failure.REFUSAL, "the model refused document {0} after {1} tokens"),
    "currency": (Failure.SCHEMA_VIOLATION, 'field "currency" of {0} is "{1}", and no currency'),
    "strange": (Failure.UNSUPPORTED, "{1} bytes of {0} are of no known format"),
}
"""Cause to class and message; two share a class, and only one of these two is mended."""

READ = stage("read", takes=Job, gives=Job, needs=(CHAIN,))
JUDGE = stage("judge", takes=Job, gives=JobDone, needs=(CHAIN,))
SHAPE = Pipeline(
    "bench_mended",
    flow=(edge(READ, JUDGE), edge(JUDGE, RESULTS)),
    failures=(on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),),
)


def __getattr__(name: str) -> Pipeline:
    """The pipeline under a name that nobody else uses, as a setting gives it: module:NAME."""
    if name.startswith("_"):
        raise AttributeError(name)
    return replace(SHAPE, name=name)


class Answered(BaseModel):
    """What the model is asked for."""

    summary: str
    confidence: float


async def ask(job: Job, ctx: Context, task: str) -> None:
    """One paid call about the document, unlike any other."""
    text = f"Task: summarization\n\n{task} of {job.document_id}. {job.padding.decode()}"
    await ctx.models.ask(CHAIN, Prompt(f"{task}@1", "You summarize.", text, task), Answered)


@READ
async def read(job: Job, ctx: Context) -> Outcome[Job]:
    """Ask once, and hand it on."""
    await ask(job, ctx, "read")
    return Emit(job)


@JUDGE
async def judge(job: Job, ctx: Context) -> Outcome[JobDone]:
    """Ask, fail for the document's cause unless that is mended, and ask again."""
    await ask(job, ctx, "check")
    if job.chain and job.chain not in os.environ.get(MENDED, "").split(","):
        failure, message = CAUSES[job.chain]
        return DeadLetter(failure, message.format(job.document_id, 7 * job.sequence + 11))
    await ask(job, ctx, "judge")
    return Emit(JobDone(document_id=job.document_id, sequence=job.sequence))


if __name__ == "__main__":
    handler = {"read": read, "judge": judge}[sys.argv[1]]
    serve(replace(SHAPE, name=os.environ[PIPELINE]), handler)
