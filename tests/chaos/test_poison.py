"""Records that kill their process: found, and only they; everybody else is processed once."""

import os
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.kafka.admin import ensure, plan
from tests.pipeline.tiny.pipeline import TICKETS

LONG = pytest.mark.skipif(os.environ.get("PENSTOCK_CHAOS") != "full", reason="takes long: part of make chaos-full")
GOOD = 600
TRIAGED = outsider.load(Path("tests/pipeline/tiny/TicketTriaged.avsc"))

Poison = Sequence[tuple[str, int]]
"""Key and partition of records that kill."""


@pytest.fixture
def pipeline(parts: Endpoints) -> str:
    """A tiny pipeline with topics of its own, whose group misses a killed member soon: each crash waits for that."""
    name = f"tickets_{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    admin = AdminClient({"bootstrap.servers": parts.kafka})
    soon = ConfigEntry("consumer.session.timeout.ms", "1500", incremental_operation=AlterConfigOpType.SET)
    group = ConfigResource(ResourceType.GROUP, f"{name}.close", incremental_configs=[soon])
    for done in admin.incremental_alter_configs([group]).values():
        done.result(10)
    return name


def ticket(key: str, subject: str) -> bytes:
    return outsider.encoded(
        TRIAGED, {"event_id": key, "document_id": key, "subject": subject, "urgent": False, "due_at": None}
    )


def publish(kafka: str, topic: str, poison: Poison) -> Mapping[bytes, bytes]:
    """Good tickets, with those that kill among them; gives the latter as they were written."""
    good = [{"key": f"t{i}", "value": ticket(f"t{i}", "a question"), "partition": i % 3} for i in range(GOOD)]
    bad = [{"key": key, "value": ticket(key, "poison"), "partition": partition} for key, partition in poison]
    middle = GOOD // 2
    outsider.send(kafka, topic, [*good[:middle], *bad, *good[middle:]])
    return {record["key"].encode(): record["value"] for record in bad}


def work_off(herd: Herd, kafka: str, pipeline: str, dead: int) -> int:
    """Keep one process of the stage running, as a supervisor does, until all is done; gives how often it was killed."""
    crashes, process = 0, herd.start("tests.pipeline.tiny", "close")

    def done() -> bool:
        nonlocal crashes, process
        if process.poll() is not None:
            crashes, process = crashes + 1, herd.start("tests.pipeline.tiny", "close")
        letters = outsider.read(kafka, f"{pipeline}.close.dlq")
        return len(letters) >= dead and len(outsider.read(kafka, f"{pipeline}.results")) >= GOOD

    herd.wait_until(done, 120 + 200 * dead, lambda: f"{crashes} crashes")
    return crashes


@pytest.mark.parametrize(
    "poison",
    [
        [("p1", 1)],
        pytest.param([("p1", 0), ("p2", 2)], marks=LONG),
        pytest.param([("p1", 1), ("p2", 1)], marks=LONG),
    ],
    ids=["one", "two in different partitions", "two in one partition"],
)
def test_just_the_records_that_kill_their_process_become_dead_letters(
    parts: Endpoints, pipeline: str, tmp_path: Path, poison: Poison
) -> None:
    kafka = parts.kafka or ""
    bad = publish(kafka, f"{pipeline}.close", poison)
    with Herd(parts, tmp_path, TINY_PIPELINE=pipeline, TINY_SECONDS="0.05") as herd:
        crashes = work_off(herd, kafka, pipeline, len(bad))
    print(f"{crashes} crashes for {len(bad)} records that kill")
    letters = outsider.read(kafka, f"{pipeline}.close.dlq")
    assert {key: value for key, value, _ in letters} == bad
    assert len(letters) == len(bad)
    assert {headers["penstock-failure"] for _, _, headers in letters} == {b"crashes_worker"}
    found = Counter(key for key, _, _ in outsider.read(kafka, f"{pipeline}.results"))
    assert found == Counter(f"t{i}".encode() for i in range(GOOD))
    assert crashes <= 22 * len(bad)
