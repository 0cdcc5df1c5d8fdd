"""What a sender asked for, read once: analyze does it, validate checks that it was done."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.errors import Failed
from shared.core.failures import Failure
from shared.pipelines.document_types import Task
from shared.pipelines.material import one_line


@dataclass(frozen=True, slots=True)
class Wanted:
    """The tasks of one document."""

    extraction: bool
    """Fields of its type."""
    summary: bool
    """A summary."""
    questions: tuple[str, ...]
    """Questions to answer, each once, in the order asked."""


def wanted(tasks: Iterable[str]) -> Wanted:
    """Read the tasks; none at all means extraction. Raises Failed(invalid_event) for a task that nobody knows."""
    asked = list(tasks)
    questions: dict[str, None] = {}
    for task in asked:
        name, _, question = task.partition(":")
        if name not in set(Task) or (name == Task.QA and not one_line(question)) or (name != Task.QA and question):
            raise Failed(
                Failure.INVALID_EVENT,
                f"task {task!r} is unknown: use extraction, classification, summarization, or qa:<question>",
            )
        if name == Task.QA:
            questions[one_line(question)] = None
    return Wanted(
        extraction=not asked or Task.EXTRACTION in asked,
        summary=Task.SUMMARIZATION in asked,
        questions=tuple(questions),
    )
