"""A paused stage begins nothing in any of its processes, the others go on, and after `resume` nothing is amiss."""

import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from shared.cli.main import main
from shared.kafka.admin import ensure, plan
from tests.pipeline.live.installation import said_by
from tests.pipeline.tiny.pipeline import TICKETS

SECONDS = 1.0
"""How long a call takes."""
SCHEMA = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))


class Tickets:
    """A tiny pipeline of the test's own, whose processes tell of their health."""

    def __init__(self, herd: Herd, kafka: str, name: str) -> None:
        self.herd, self.kafka, self.name = herd, kafka, name
        self._published = 0

    def start(self, stage: str, **environment: str) -> tuple["subprocess.Popen[bytes]", int]:
        """A process and the port of its health."""
        port = free_port()
        return self.herd.start("tests.pipeline.tiny", stage, PENSTOCK_HEALTH_PORT=str(port), **environment), port

    def publish(self, count: int) -> None:
        """So many tickets more."""
        keys = [f"t{self._published + number}" for number in range(count)]
        self._published += count
        values = {"opened_at": 0, "subject": "a question"}
        records = [(key, outsider.encoded(SCHEMA, {"document_id": key, **values})) for key in keys]
        outsider.publish(self.kafka, f"{self.name}.ingest", records)

    def count(self, topic: str) -> int:
        return len(outsider.read(self.kafka, f"{self.name}.{topic}"))

    def wait_for(self, topic: str, count: int) -> None:
        self.herd.wait_until(lambda: self.count(topic) >= count, 60, lambda: f"{self.count(topic)} in {topic}")

    def wait_until_paused(self, *ports: int, paused: bool = True) -> None:
        def told() -> list[object]:
            return [said_by(port).get("paused") for port in ports]

        self.herd.wait_until(lambda: set(told()) == {paused}, 30, lambda: str(told()))

    def settled(self) -> int:
        """Results, once none has come for longer than a call takes."""
        seen, since = -1, time.monotonic()

        def still() -> bool:
            nonlocal seen, since
            if (now := self.count("results")) != seen:
                seen, since = now, time.monotonic()
            return time.monotonic() - since > 3 * SECONDS

        self.herd.wait_until(still, 60)
        return seen

    def command(self, verb: str) -> int:
        return main([verb, "close", "--pipeline", f"tests.pipeline.tiny.named:{self.name}"])


@pytest.fixture
def tickets(parts: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tickets]:
    name = f"tickets_{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    with Herd(parts, tmp_path, TINY_PIPELINE=name, TINY_SECONDS=str(SECONDS)) as herd:
        for setting, value in herd.settings.items():
            monkeypatch.setenv(setting, value)
        yield Tickets(herd, parts.kafka or "", name)


def test_a_paused_stage_takes_nothing_in_all_its_processes_and_loses_nothing(tickets: Tickets) -> None:
    _, first = tickets.start("close")
    killed, second = tickets.start("close")
    tickets.start("triage")
    tickets.publish(2800)
    tickets.wait_for("results", 1)
    assert tickets.command("pause") == 0
    tickets.wait_until_paused(first, second)
    before = tickets.settled()
    assert before < 2800, "it was done before it was paused"
    # Others go on, a process that starts now keeps still too, and so does one that takes over what another leaves.
    tickets.publish(200)
    tickets.wait_for("close", 3000)
    killed.kill()
    _, third = tickets.start("close")
    tickets.herd.wait_until(lambda: bool(said_by(third).get("partitions")), 60, lambda: str(said_by(third)))
    tickets.wait_until_paused(first, third)
    assert tickets.settled() == before
    assert tickets.command("resume") == 0
    tickets.wait_until_paused(first, third, paused=False)
    tickets.wait_for("results", 3000)
    found = Counter(key for key, _, _ in outsider.read(tickets.kafka, f"{tickets.name}.results"))
    assert found == Counter(f"t{number}".encode() for number in range(3000))


def test_a_process_without_redis_works_and_says_that_no_pause_reaches_it(tickets: Tickets) -> None:
    _, port = tickets.start("close", PENSTOCK_REDIS_URL="redis://127.0.0.1:1/0")
    tickets.start("triage")
    assert tickets.command("pause") == 0
    tickets.publish(20)
    tickets.wait_for("results", 20)
    said = said_by(port)
    assert said["paused"] is False
    assert "do not reach this process" in said["weaker"]["pauses"]
