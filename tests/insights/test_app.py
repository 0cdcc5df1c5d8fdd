"""The app without a Kafka: what a page says."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.insights.app import Insights, delivery
from services.insights.counts import Counts
from services.insights.settings import InsightsSettings
from shared.core.atlas.ended import Ended
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.pipelines.documents import DOCUMENTS
from shared.pipelines.telling import Telling
from tests.unit.test_ends import CODEC

REFUSED = Ended("d", "analyze", "refusal", 0.0, document_type="invoice")


class Alone(Insights):
    """Counts into a dictionary, and owns two partitions."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            Telling(DOCUMENTS, CODEC), InsightsSettings(keep=3_600), {"bootstrap.servers": "k:9092"}, folder, 1
        )
        self.counts = Counts({}, 3_600)

    @property
    def partitions(self) -> list[int]:
        return [0, 1]


@pytest.fixture
async def insights(tmp_path: Path) -> Alone:
    return Alone(tmp_path / "insights")


def record(offset: int, topic: str = "documents.analyze.dlq", partition: int = 0) -> Delivery:
    return Delivery(Position(topic, partition, offset), b"d", b"", (), datetime.now(UTC))


async def test_a_page_adds_up_what_stands_in_all_partitions(insights: Alone) -> None:
    now = time.time()
    for partition in (0, 1, 2):
        insights.add(record(7, partition=partition), REFUSED, now)
        insights.add(record(7, partition=partition), REFUSED, now)
    insights.add(record(3, "documents.analyze.retry.5s"), REFUSED, now)
    page = insights.page("1m", 60)
    rows = {row["kind"]: row["count"] for row in page["rows"]}
    assert rows == {"failed": 2, "retried": 1}  # the third partition is another process's
    assert page["rows"][0]["stage"] == "analyze"
    assert page["left_out"] == 0
    with pytest.raises(KeyError):
        insights.page("2m", 60)


def test_a_record_is_seen_as_the_rest_of_penstock_sees_it() -> None:
    class Message:
        topic, partition, offset, key, value, timestamp = "t", 1, 2, b"k", b"v", 1.5
        headers = (("a", b"1"), ("a", b"2"))

    found = delivery(Message)
    assert (found.position, found.key, found.headers) == (Position("t", 1, 2), b"k", (("a", b"1"), ("a", b"2")))
    assert found.appended_at.timestamp() == 1.5
