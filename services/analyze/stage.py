"""Have the models do what the sender asked for: fields, a summary, answers to questions."""

from dataclasses import asdict, fields
from typing import Any

from schemas.events import Analysis, Choice, DocumentAnalyzed, DocumentClassified, ModelCall
from services.analyze import jobs
from services.analyze.answers import Answer, Answered, Extraction, Summarized
from services.analyze.settings import AnalyzeSettings
from shared.core.context import Context
from shared.core.failures import Remedy
from shared.core.outcome import Emit, Outcome
from shared.pipelines.content import text_of
from shared.pipelines.documents import ANALYST, ANALYZE
from shared.pipelines.jobs import Job
from shared.pipelines.supervised import Done, Missing, supervised, worst
from shared.pipelines.tasks import Wanted, wanted


@ANALYZE.handler(settings=AnalyzeSettings)
async def analyze(document: DocumentClassified, ctx: Context) -> Outcome[DocumentAnalyzed]:
    """Do every task wanted, one after the other, and put the answers into one analysis."""
    text = await text_of(document.text, ctx)
    kind = document.classification.document_type
    policy = ctx.resource(AnalyzeSettings).policy().of(kind)
    asked = jobs_of(wanted(document.submission.tasks), kind, ctx.prompt)
    ends = [await supervised(ctx, job, text, ANALYST, policy) for job in asked]
    done = [end for end in ends if isinstance(end, Done)]
    missing = [end for end in ends if isinstance(end, Missing)]
    # What the pipeline's table sends to a person goes there with all the gaps named, also where nothing else was done.
    if missing and not done and not any(end.error.remedy is Remedy.REVIEW for end in missing):
        raise worst(missing)
    carried = {entry.name: getattr(document, entry.name) for entry in fields(document)}
    return Emit(DocumentAnalyzed(**carried, analysis=analysis_of(done, missing)))


def jobs_of(tasks: Wanted, kind: str, prompt: str = "") -> list[Job[Any]]:
    """A job for each task, in the order in which they are done; `prompt` is one that is to be used instead."""
    found: list[Job[Any]] = []
    if tasks.extraction:
        found.append(jobs.extraction(kind, prompt))
    if tasks.summary:
        found.append(jobs.summary(kind, prompt))
    return found + [jobs.answer(kind, question, prompt) for question in tasks.questions]


def analysis_of(done: list[Done[Any]], missing: list[Missing]) -> Analysis:
    """What was said, by whom, and what nobody could say."""
    said: list[Answered] = [end.given.value for end in done]
    calls = [call for end in done for call in end.given.calls] + [call for end in missing for call in end.error.calls]
    gaps = [gap for end in done for gap in end.given.missing] + [str(end) for end in missing]
    return Analysis(
        fields=next((value.found() for value in said if isinstance(value, Extraction)), {}),
        summary=next((value.summary for value in said if isinstance(value, Summarized)), ""),
        answers={end.job.question: end.given.value.answer for end in done if isinstance(end.given.value, Answer)},
        confidence=min((value.confidence for value in said), default=0.0 if missing else 1.0),
        calls=tuple(ModelCall(**asdict(call)) for call in calls),
        choices=tuple(choice_of(end) for end in done),
        missing=tuple(gaps),
    )


def choice_of(end: Done[Any]) -> Choice:
    """Whose answer stands for a task, as the event tells it."""
    best = end.tried[end.verdict.best]
    return Choice(
        task=end.job.task,
        question=end.job.question,
        decision=end.verdict.decision.value,
        chain=best.chain,
        models=end.models,
        score=best.score,
        tried={each.chain: each.score for each in end.tried},
    )
