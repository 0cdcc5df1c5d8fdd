"""One stage in three processes that share its work, one of them killed in the middle of it."""

from collections import Counter
from pathlib import Path

from shared.pipelines.documents import ANALYZE, DOCUMENTS
from tests.pipeline.live.installation import Documents, in_flight, said_by
from tests.pipeline.live.models import settings
from tests.pipeline.live.texts import fields_of, invoice

PARTITIONS = {
    f"{topic}/{number}" for topic in DOCUMENTS.topics(ANALYZE).consumed for number in range(DOCUMENTS.partitions)
}
NAMES = [f"scaled-{number}" for number in range(150)]


def test_three_processes_share_the_work_and_killing_one_loses_and_doubles_nothing(
    documents: Documents, tmp_path: Path
) -> None:
    def shares() -> list[set[str]]:
        return [
            set(said_by(port).get("partitions", ()))
            for process, port in documents.running["analyze"]
            if process.poll() is None
        ]

    with (
        documents.fault(model="sim-scaled", fault="slow"),
        documents.instead(settings(tmp_path, "sim-scaled"), analyze=3),
    ):
        documents.herd.wait_until(lambda: set(map(len, shares())) == {len(PARTITIONS) // 3}, 30, lambda: str(shares()))
        assert set.union(*shares()) == PARTITIONS, "each belongs to one of them"
        documents.publish(invoice(name) for name in NAMES)
        victim, port = documents.running["analyze"][0]
        documents.herd.wait_until(lambda: in_flight(port) >= 5, 30)
        victim.kill()
        assert len(documents.rows(NAMES)) < len(NAMES), "it was in the middle"
        rows = documents.wait_until_stored(NAMES, 60)
        documents.herd.wait_until(lambda: set.union(*shares()) == PARTITIONS, 20)
    assert all(rows[name]["fields"] == fields_of(name) for name in NAMES)
    assert Counter(told["document_id"] for told in documents.results(NAMES)) == dict.fromkeys(NAMES, 1)
    assert {told["state"] for told in documents.results(NAMES)} == {"stored"}
    assert not documents.read("analyze.dlq", NAMES)
    assert not documents.read("analyze.retry.5s", NAMES)
