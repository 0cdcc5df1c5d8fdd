"""Reading what a sender asked for."""

import pytest

from shared.core.errors import Failed
from shared.core.failures import Failure
from shared.pipelines.tasks import Wanted, wanted


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ((), Wanted(True, False, ())),
        (("classification",), Wanted(False, False, ())),
        (("summarization",), Wanted(False, True, ())),
        (("extraction", "classification"), Wanted(True, False, ())),
        (("qa: Who\n pays? ", "qa:Who pays?", "qa:When: today?"), Wanted(False, False, ("Who pays?", "When: today?"))),
    ],
)
def test_tasks_are_read_once_and_none_means_extraction(tasks: tuple[str, ...], expected: Wanted) -> None:
    assert wanted(tasks) == expected


@pytest.mark.parametrize("task", ["translate", "", "qa", "qa:", "qa: \n", "extraction:all", "Extraction"])
def test_a_task_that_nobody_knows_is_an_invalid_event(task: str) -> None:
    with pytest.raises(Failed, match="is unknown: use extraction") as caught:
        wanted([task])
    assert caught.value.failure is Failure.INVALID_EVENT
