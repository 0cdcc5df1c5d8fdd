"""What kinds of document there are, and which of them a model must look at.

The track is a table, not a rule in a service: whoever adds a type decides here, in one line, what it will cost.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class DocumentType(StrEnum):
    """What a document is. The value is the stable name that outsiders see."""

    INVOICE = "invoice"
    RESUME = "resume"
    CONTRACT = "contract"
    REPORT = "report"
    NOTICE = "notice"
    LETTER = "letter"
    RECORD = "record"
    OTHER = "other"
    """Nothing recognised: it is stored as it is, for a model would have no fields to look for."""


class Track(StrEnum):
    """The way a classified document takes."""

    TECHNICAL = "technical"
    """Through a model: analyze, validate, store."""
    STANDARD = "standard"
    """Straight to store."""


class Task(StrEnum):
    """What can be asked for when a document is submitted."""

    EXTRACTION = "extraction"
    CLASSIFICATION = "classification"
    SUMMARIZATION = "summarization"
    QA = "qa"


TRACKS: Mapping[DocumentType, Track] = MappingProxyType(
    {
        DocumentType.INVOICE: Track.TECHNICAL,
        DocumentType.RESUME: Track.TECHNICAL,
        DocumentType.CONTRACT: Track.TECHNICAL,
        DocumentType.REPORT: Track.TECHNICAL,
        DocumentType.NOTICE: Track.STANDARD,
        DocumentType.LETTER: Track.STANDARD,
        DocumentType.RECORD: Track.STANDARD,
        DocumentType.OTHER: Track.STANDARD,
    }
)
"""Document type to track, where no task was asked for."""

MODEL_TASKS: frozenset[str] = frozenset({Task.EXTRACTION, Task.SUMMARIZATION, Task.QA})
"""The tasks that only a model can do. `classification` is done by rules, in the classify stage."""


def track_of(document_type: DocumentType, tasks: Iterable[str] = ()) -> Track:
    """The track of a document: a task that needs a model takes any type to the technical one.

    A question travels in its task ("qa:Who pays?"), so a task's name ends at the colon.
    """
    names = {task.partition(":")[0] for task in tasks}
    return Track.TECHNICAL if names & MODEL_TASKS else TRACKS[document_type]
