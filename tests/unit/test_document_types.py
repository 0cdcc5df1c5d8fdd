"""The table of tracks, row by row: moving a type to another track must be a decision, not an accident."""

import pytest

from shared.pipelines.document_types import MODEL_TASKS, TRACKS, DocumentType, Task, Track, track_of

ROWS = {
    "invoice": "technical",
    "resume": "technical",
    "contract": "technical",
    "report": "technical",
    "notice": "standard",
    "letter": "standard",
    "record": "standard",
    "other": "standard",
}


@pytest.mark.parametrize(("document_type", "track"), ROWS.items())
def test_each_type_without_a_task_takes_its_row_of_the_table(document_type: str, track: str) -> None:
    assert track_of(DocumentType(document_type)) == track


def test_every_type_has_a_row() -> None:
    assert set(TRACKS) == set(DocumentType) == set(ROWS)


@pytest.mark.parametrize("document_type", DocumentType)
@pytest.mark.parametrize("task", ["extraction", "summarization", "qa", "qa: Who pays?"])
def test_a_task_that_needs_a_model_takes_any_type_to_the_technical_track(
    document_type: DocumentType, task: str
) -> None:
    assert track_of(document_type, ["classification", task]) is Track.TECHNICAL


@pytest.mark.parametrize("document_type", DocumentType)
def test_asking_for_classification_changes_no_track(document_type: DocumentType) -> None:
    assert track_of(document_type, ["classification"]) is TRACKS[document_type]


def test_a_task_nobody_knows_needs_no_model() -> None:
    assert track_of(DocumentType.NOTICE, ["translation"]) is Track.STANDARD


def test_all_tasks_but_classification_need_a_model() -> None:
    assert set(Task) - MODEL_TASKS == {Task.CLASSIFICATION}
