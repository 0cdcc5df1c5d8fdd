"""`kill -9` in mid-run: nothing is lost, nothing is doubled, and an auditor that shares no code says so."""

import os
import random
import uuid
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.kafka.admin import ensure, plan
from tests.pipeline.tiny.pipeline import TICKETS

FULL = os.environ.get("PENSTOCK_CHAOS") == "full"
"""`make chaos-full`: the same for longer."""
DOCUMENTS = 20_000 if FULL else 3000
KILLS = 30 if FULL else 6
SCHEMA = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))


@pytest.fixture
def pipeline(parts: Endpoints) -> str:
    """A tiny pipeline with topics of its own."""
    name = f"tickets_{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    return name


def tickets(count: int) -> list[tuple[str, bytes]]:
    """So many tickets, each with a subject of its own."""
    subject = {"opened_at": 0, "subject": "a question"}
    return [(f"t{i}", outsider.encoded(SCHEMA, {"document_id": f"t{i}", **subject})) for i in range(count)]


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_killing_processes_in_mid_run_loses_and_doubles_nothing(
    parts: Endpoints, pipeline: str, tmp_path: Path, protocol: str
) -> None:
    dice = random.Random(protocol)
    outsider.publish(parts.kafka, f"{pipeline}.ingest", tickets(DOCUMENTS))
    results = f"{pipeline}.results"

    def done() -> int:
        return len(outsider.read(parts.kafka, results))

    def reached(goal: int) -> bool:
        return done() >= goal

    with Herd(parts, tmp_path, TINY_PIPELINE=pipeline, TINY_SECONDS="0.3", PENSTOCK_GROUP_PROTOCOL=protocol) as herd:
        running = [herd.start("tests.pipeline.tiny", stage) for stage in ("triage", "triage", "close", "close")]
        for kill in range(KILLS):
            goal = DOCUMENTS * (kill + 1) // (KILLS + 2)
            herd.wait_until(partial(reached, goal), 90, lambda: f"{done()} results")
            victim = dice.randrange(len(running))
            running[victim].kill()
            running[victim] = herd.start("tests.pipeline.tiny", "triage" if victim < 2 else "close")
        herd.wait_until(partial(reached, DOCUMENTS), 120, lambda: f"{done()} results")
    found = Counter(key for key, _, _ in outsider.read(parts.kafka, results))
    assert [key for key, times in found.items() if times > 1] == [], "doubled"
    assert {f"t{i}".encode() for i in range(DOCUMENTS)} - found.keys() == set(), "lost"
    condemned = [outsider.read(parts.kafka, f"{pipeline}.{stage}.dlq") for stage in ("triage", "close")]
    assert condemned == [[], []], "taken for what killed the process"


def test_a_stage_under_sigterm_ends_in_time_and_hands_over_cleanly(
    parts: Endpoints, pipeline: str, tmp_path: Path
) -> None:
    outsider.publish(parts.kafka, f"{pipeline}.ingest", tickets(200))
    with Herd(parts, tmp_path, TINY_PIPELINE=pipeline, TINY_SECONDS="0.5") as herd:
        herd.start("tests.pipeline.tiny", "triage")
        first = herd.start("tests.pipeline.tiny", "close")
        herd.wait_until(lambda: len(outsider.read(parts.kafka, f"{pipeline}.results")) > 0, 60)
        first.terminate()
        assert first.wait(15) == 0, herd.log()
        herd.start("tests.pipeline.tiny", "close")
        herd.wait_until(lambda: len(outsider.read(parts.kafka, f"{pipeline}.results")) >= 200, 60)
    found = Counter(key for key, _, _ in outsider.read(parts.kafka, f"{pipeline}.results"))
    assert len(found) == 200
    assert set(found.values()) == {1}
