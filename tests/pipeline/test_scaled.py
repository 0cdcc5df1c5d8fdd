"""One stage in three processes that share its work, one of them killed in the middle of it."""

from collections import Counter
from pathlib import Path

from tests.pipeline.live.installation import Documents, said_by
from tests.pipeline.live.models import settings
from tests.pipeline.live.texts import fields_of, invoice

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

    def stored() -> int:
        return len(documents.rows(NAMES))

    with (
        documents.fault(model="sim-scaled", fault="slow"),
        documents.instead(settings(tmp_path, "sim-scaled"), analyze=3),
    ):
        documents.herd.wait_until(lambda: all(shares()), 30, lambda: str(shares()))
        together = shares()
        assert sum(map(len, together)) == len(set.union(*together)), "no partition belongs to two"
        documents.publish(invoice(name) for name in NAMES)
        documents.herd.wait_until(lambda: stored() >= 20, 60)
        documents.running["analyze"][0][0].kill()
        assert stored() < len(NAMES), "it was in the middle"
        rows = documents.wait_until_stored(NAMES, 60)
        assert set.union(*shares()) == set.union(*together), "the others have its partitions"
    assert all(rows[name]["fields"] == fields_of(name) for name in NAMES)
    assert Counter(told["document_id"] for told in documents.results(NAMES)) == dict.fromkeys(NAMES, 1)
    assert {told["state"] for told in documents.results(NAMES)} == {"stored"}
    assert not documents.read("analyze.dlq", NAMES)
    assert not documents.read("analyze.retry.5s", NAMES)
