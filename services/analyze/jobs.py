"""The tasks of analyze as jobs: how each is put to a model, what its answer is worth, how parts are merged.

`instead` is the prompt that a replay asks for (`Context.prompt`).
"""

from services.analyze.answers import Answer, Answered, Extraction, Summarized, extraction_for
from services.analyze.merging import merged_answers, merged_fields, merged_summaries
from services.analyze.prompts import prompt_for
from shared.pipelines.document_types import Task
from shared.pipelines.jobs import Job


def confidence(answer: Answered) -> float:
    """What an answer is worth: as sure as the model is of it."""
    return answer.confidence


def extraction(kind: str, instead: str = "") -> Job[Extraction]:
    """The fields of a document of that type."""
    return Job(
        Task.EXTRACTION,
        lambda text: prompt_for(Task.EXTRACTION, kind, text, instead=instead),
        extraction_for(kind),
        confidence,
        merged_fields,
    )


def summary(kind: str, instead: str = "") -> Job[Summarized]:
    """A summary."""
    return Job(
        Task.SUMMARIZATION,
        lambda text: prompt_for(Task.SUMMARIZATION, kind, text, instead=instead),
        Summarized,
        confidence,
        merged_summaries,
    )


def answer(kind: str, question: str, instead: str = "") -> Job[Answer]:
    """The answer to a question."""
    return Job(
        Task.QA,
        lambda text: prompt_for(Task.QA, kind, text, question, instead),
        Answer,
        confidence,
        merged_answers,
        question,
    )
