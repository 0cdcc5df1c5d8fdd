"""What an installation's settings say about failures holds in its processes: `fallback = "wait"`, `[remedies]`."""

from collections.abc import Iterator

import pytest

from tests.pipeline.live.installation import Documents
from tests.pipeline.live.models import settings
from tests.pipeline.live.texts import invoice

FIRST, SECOND = "sim-waited-for", "sim-never-asked"
TOLD = {
    "PENSTOCK_BREAKER__THRESHOLD": "2",
    "PENSTOCK_BREAKER__RECOVERY": "3",
    "PENSTOCK_FALLBACK": "wait",
    "PENSTOCK_REMEDIES__REFUSAL": "review",
}


@pytest.fixture(scope="module", autouse=True)
def waiting(documents: Documents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`analyze` waits for the first of its two models, and puts refusals before a person."""
    with documents.instead(settings(tmp_path_factory.mktemp("models"), FIRST, SECOND) | TOLD, analyze=1):
        yield


def test_documents_wait_for_the_first_model_though_another_could_answer(documents: Documents) -> None:
    names = [f"patient-{number}" for number in range(10)]
    with documents.fault(model=FIRST, fault="overloaded"):
        documents.publish(invoice(name) for name in names)
        documents.herd.wait_until(lambda: documents.asked(FIRST) >= 3, 20, lambda: "no probe was sent")
        assert not documents.rows(names)
    rows = documents.wait_until_stored(names, 40)
    assert {model for row in rows.values() for model in row["models"]} == {FIRST}
    assert documents.asked(SECOND) == 0
    for topic in ("analyze.retry.5s", "analyze.retry.1m", "analyze.dlq"):
        assert not documents.read(topic, names), "an outage costs no attempt"


def test_a_refusal_goes_before_a_person_where_the_settings_say_so(documents: Documents) -> None:
    with documents.fault(fault="refusal", match="Invoice number: declined-"):
        documents.publish([invoice("declined-1")])
        documents.herd.wait_until(lambda: bool(documents.reviews(["declined-1"])), 20)
    row = documents.reviews(["declined-1"])["declined-1"]
    assert row["failure"] == "low_quality"
    assert "extraction: refusal: " in row["reason"]
    assert documents.asked(SECOND) == 0
