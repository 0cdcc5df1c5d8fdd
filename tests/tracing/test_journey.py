"""One document, one trace, through real Kafka and real processes: retried, dead-lettered, replayed, killed under."""

import json
import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from confluent_kafka import Producer

from infra.bench import outsider
from infra.bench.herd import Herd, Process
from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.trace import document_trace
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from tests.pipeline.live.installation import in_flight, said_by
from tests.pipeline.tiny.events import TicketOpened
from tests.pipeline.tiny.pipeline import TICKETS
from tests.tracing.receiver import Received, Receiver, receiving

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
SENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECONDS = 60


@dataclass
class Live:
    """The tiny pipeline under a name of its own, and the receiver that its processes tell."""

    name: str
    herd: Herd
    receiver: Receiver

    def start(self, stage: str, **settings: str) -> Process:
        return self.herd.start("tests.pipeline.tiny", stage, TINY_PIPELINE=self.name, **settings)

    def publish(self, document: str, subject: str, headers: list[tuple[str, str | bytes | None]]) -> None:
        producer = Producer({"bootstrap.servers": self.herd.settings["PENSTOCK_KAFKA__BOOTSTRAP_SERVERS"]})
        value = outsider.encoded(OPENED, {"document_id": document, "subject": subject, "opened_at": 0})
        producer.produce(f"{self.name}.ingest", value=value, key=document.encode(), headers=headers)
        assert producer.flush(20) == 0

    def wait_for(self, document: str, **counts: int) -> list[Received]:
        """Return the document's spans when there are so many of these names."""

        def missing() -> dict[str, int]:
            there = [span.name for span in self.receiver.of(document).values()]
            return {name: count for name, count in counts.items() if there.count(name.replace("_", " ")) < count}

        self.herd.wait_until(lambda: not missing(), SECONDS, lambda: f"no spans of {missing()}")
        return sorted(self.receiver.of(document).values(), key=lambda span: (span.start, span.parent))

    def trace(self, document: str) -> str:
        return document_trace(self.name, TicketOpened(document_id=document, subject="")).text


@pytest.fixture
def live(parts: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    name = f"t{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    migrate(parts.database or "")
    with receiving() as receiver:
        tracing = {"PENSTOCK_TRACING__ENDPOINT": receiver.url, "PENSTOCK_TRACING__HEADERS": "Authorization=Basic eA=="}
        with Herd(parts, tmp_path, **tracing) as herd:
            for setting, value in herd.settings.items():
                monkeypatch.setenv(setting, value)
            monkeypatch.setenv("PENSTOCK_PIPELINE", f"tests.pipeline.tiny.named:{name}")
            yield Live(name, herd, receiver)


def only(spans: list[Received], name: str, trace: str = "") -> Received:
    [found] = [span for span in spans if span.name == name and trace in (span.trace, "")]
    return found


def children(spans: list[Received], of: Received) -> list[str]:
    assert all(span.trace == of.trace for span in spans if span.parent == of.id)
    return [span.name for span in spans if span.parent == of.id]


def test_one_trace_through_a_retry_to_the_dead_letters_and_a_linked_one_back(
    live: Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live.start("triage")
    live.start("close")
    live.publish("t1", "busy spam", [("traceparent", f"00-{SENT[0]}-{SENT[1]}-01")])
    first = live.wait_for("t1", triage=1)

    assert {span.trace for span in first} == {live.trace("t1")}
    root, operation = only(first, f"{live.name} document"), only(first, "triage")
    assert (root.parent, root.links) == ("", (SENT,))
    assert children(first, root) == ["triage"]
    assert children(first, operation) == ["triage attempt", "triage attempt"]
    attempts = [span for span in first if span.parent == operation.id]
    assert [span.said["penstock.outcome"] for span in attempts] == ["retry", "dead_letter"]
    assert operation.start <= min(span.start for span in attempts)
    assert operation.said["penstock.written_to"] == [f"{live.name}.triage.dlq"]
    assert (operation.service, operation.said["session.id"]) == (f"{live.name}.triage", "t1")

    letter = only_letter(capsys)
    changes = tmp_path / "changes.json"
    changes.write_text(json.dumps({"subject": "busy printer"}))
    assert main(["dlq", "replay", letter, "--edit", str(changes), "--json"]) == Exit.DONE
    spans = [span for span in live.wait_for("t1", triage=2, close=1) if span.trace != live.trace("t1")]

    assert len({span.trace for span in spans}) == 1
    again = only(spans, f"{live.name} replay")
    assert again.links == ((root.trace, root.id),)
    assert again.said["penstock.replayed_from"].startswith(f"{live.name}.triage.dlq/")
    assert sorted(children(spans, again)) == ["close", "triage"]
    assert children(spans, only(spans, "triage")) == ["triage attempt", "triage attempt"]
    assert children(spans, only(spans, "close")) == ["close attempt"]
    assert b"spam" not in live.receiver.raw, "no word of a document is told"


def only_letter(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return str(row["id"])


def test_a_kill_between_stages_and_one_inside_a_stage_keep_the_trace(live: Live) -> None:
    triage = live.start("triage")
    live.publish("t2", "how do I print", [])
    live.wait_for("t2", triage=1)
    kill(triage)
    slow = live.start("close", TINY_SECONDS="600", PENSTOCK_HEALTH_PORT=str(port := free_port()))
    live.herd.wait_until(lambda: bool(said_by(port).get("ready")) and in_flight(port) == 1, SECONDS)
    kill(slow)
    live.start("close")
    spans = live.wait_for("t2", close=1)

    assert {span.trace for span in spans} == {live.trace("t2")}
    root = only(spans, f"{live.name} document")
    assert sorted(children(spans, root)) == ["close", "triage"]
    assert children(spans, only(spans, "close")) == ["close attempt"]
    assert only(spans, "triage").end <= only(spans, "close").end


def kill(process: Process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(20)
