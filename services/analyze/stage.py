"""Have the models do what the sender asked for: fields, a summary, answers to questions."""

from dataclasses import asdict, fields

from schemas.events import Analysis, DocumentAnalyzed, DocumentClassified, ModelCall
from services.analyze.answers import Answer, Answered, Extraction, Summarized, extraction_for
from services.analyze.prompts import prompt_for
from shared.core import context
from shared.core.context import Context
from shared.core.outcome import Emit, Outcome
from shared.pipelines.content import text_of
from shared.pipelines.document_types import Task
from shared.pipelines.documents import ANALYST, ANALYZE
from shared.pipelines.tasks import Wanted, wanted

Asked = context.Answer[Extraction] | context.Answer[Summarized] | context.Answer[Answer]


@ANALYZE
async def analyze(document: DocumentClassified, ctx: Context) -> Outcome[DocumentAnalyzed]:
    """Do every task wanted, one after the other, and put the answers into one analysis."""
    text = await text_of(document.text, ctx)
    analysis = await analysis_of(wanted(document.submission.tasks), document.classification.document_type, text, ctx)
    carried = {entry.name: getattr(document, entry.name) for entry in fields(document)}
    return Emit(DocumentAnalyzed(**carried, analysis=analysis))


async def analysis_of(tasks: Wanted, kind: str, text: str, ctx: Context) -> Analysis:
    """Ask for each task, and put together what was said."""
    asked: list[Asked] = []
    values: dict[str, str] = {}
    summary = ""
    answers: dict[str, str] = {}
    if tasks.extraction:
        extracted = await ctx.models.ask(
            ANALYST, prompt_for(Task.EXTRACTION, kind, text, instead=ctx.prompt), extraction_for(kind)
        )
        asked.append(extracted)
        values = extracted.value.found()
    if tasks.summary:
        summarized = await ctx.models.ask(
            ANALYST, prompt_for(Task.SUMMARIZATION, kind, text, instead=ctx.prompt), Summarized
        )
        asked.append(summarized)
        summary = summarized.value.summary
    for question in tasks.questions:
        answered = await ctx.models.ask(ANALYST, prompt_for(Task.QA, kind, text, question, ctx.prompt), Answer)
        asked.append(answered)
        answers[question] = answered.value.answer
    said: list[Answered] = [answer.value for answer in asked]
    return Analysis(
        fields=values,
        summary=summary,
        answers=answers,
        confidence=min((value.confidence for value in said), default=1.0),
        calls=tuple(ModelCall(**asdict(call)) for answer in asked for call in answer.calls),
    )
