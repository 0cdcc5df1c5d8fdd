"""A pipeline with webhooks: records are put on its topics, and the service that tells of them runs beside."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from infra.bench.herd import Herd, Process
from infra.local.parts.ports import free_port
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.kafka.dead_letters import REPLAYED, DeadLetters, Resolution
from shared.kafka.reading import Reader
from shared.kafka.resolving import Writer, replay_record
from shared.kafka.selection import Selection
from shared.pipelines.ended import ended
from tests.cli.installation import Installation, submitted
from tests.notify.receiver import SECRET, Receiver

QUIET = "0.5"


@dataclass
class Place:
    """The pipeline, its tables, and the processes that are started for it."""

    own: Installation
    herd: Herd
    url: str
    folder: Path

    def name_hooks(self, *hooks: str) -> None:
        """Write the file of webhooks."""
        (self.folder / "webhooks.toml").write_text("".join(f"[[hook]]\n{text}\n" for text in hooks))

    def start(self, **settings: str) -> Process:
        """One more process of the service."""
        own = {
            "PENSTOCK_WEBHOOKS": str(self.folder / "webhooks.toml"),
            "PENSTOCK_NOTIFY__QUIET_SECONDS": QUIET,
            "HOOK_SECRET": SECRET,
            "PENSTOCK_HEALTH_PORT": str(free_port()),
        }
        return self.herd.start("services.notify", **own | settings)

    def started(self) -> Process:
        """The same, and wait until it knows its hooks: from then on they are told."""
        process = self.start()
        self.until(lambda: bool(self.rows("select * from webhooks")))
        return process

    def kill(self, process: Process) -> None:
        """End it as nobody should."""
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def submit(self, batch: str, *documents: str) -> None:
        """Documents come in."""
        for document in documents:
            event = submitted(document, batch_id=batch, tenant="acme", submitted_at=datetime.now(UTC))
            self._produce("ingest", document, self.own.session.codec.encode(event))
        assert self.own.producer.flush(10) == 0

    def end(self, batch: str, *documents: str, state: str = "stored") -> None:
        """Documents end."""
        for document in documents:
            event = ended(submitted(document, batch_id=batch, tenant="acme"), document, state, "", datetime.now(UTC))
            self._produce("results", document, self.own.session.codec.encode(event))
        assert self.own.producer.flush(10) == 0

    def bury(self, batch: str, document: str) -> None:
        """A document fails for good."""
        now = datetime.now(UTC)
        history = History(
            "extract", Failure.ENCRYPTED, "a password", 1, now, now, Position(f"{self.own.name}.ingest", 0, 0)
        )
        value = self.own.session.codec.encode(submitted(document, batch_id=batch, tenant="acme"))
        self.own.put("extract.dlq", document.encode(), value, history.to_headers())

    def replay(self, batch: str) -> None:
        """Every dead letter goes back to its stage."""
        session = self.own.session
        letters = DeadLetters(Reader(session.kafka), session.pipeline, session.codec)
        writer = Writer(session.kafka, session.pipeline.name)
        for letter in [*letters.unresolved(Selection())]:
            at = datetime.now(UTC).isoformat()
            note = Resolution(REPLAYED, "r-1", "test", "", at, letter.document_id, batch)
            writer.write([replay_record(session.pipeline, letter), writer.note(letter.id, note)])

    def _produce(self, topic: str, key: str, value: bytes) -> None:
        self.own.producer.produce(f"{self.own.name}.{topic}", key=key.encode(), value=value)

    def rows(self, statement: str) -> Sequence[Any]:
        """What a query gives."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]

    def _open(self) -> list[Any]:
        """What is still to be told, for whoever waited in vain."""
        waiting = "select message_id, type, subject, attempts, next_at, failure from webhook_deliveries"
        return [*self.rows("select * from webhook_batches"), *self.rows(f"{waiting} where state <> 'delivered'")]

    def until(self, holds: Any, seconds: float = 60) -> None:
        """Wait for it."""
        self.herd.wait_until(holds, seconds, lambda: "\n".join(map(str, self._open())))


def hook(name: str, receiver: Receiver, *lines: str) -> str:
    """A hook as the file has it."""
    return "\n".join((f'name = "{name}"', f'url = "{receiver.url}"', 'secret_env = "HOOK_SECRET"', *lines))
