"""The journal as a process: killed again and again, beside a second one, and emptied while it runs."""

import asyncio
import os
import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from confluent_kafka import Producer

from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from schemas.events import DocumentSubmitted
from shared.cli.session import Session, open_session
from shared.database.journal import JournalTable
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.kafka.properties import transactional
from shared.kafka.reading import Reader

HOSTILE = [(None, b"\xff"), (b"\xff\xfe", None), (b"x" * 300_000, b"\xc3\x01" + b"\0" * 20), (b"nul\0", b"")]
TABLES = ("journal_entries", "journal_documents", "journal_positions")


class Place:
    """A pipeline of the test's own, with tables of its own, and what the journal has of it."""

    def __init__(self, parts: Endpoints, url: str, folder: Path) -> None:
        self.name = f"p{uuid.uuid4().hex[:8]}"
        self.url = url
        settings = {"PENSTOCK_PIPELINE": f"tests.cli.pipelines:{self.name}", "PENSTOCK_DATABASE_URL": url}
        self.herd = Herd(parts, folder, **settings)
        self.written = 0
        os.environ.update(self.herd.settings)
        self.session: Session = open_session()
        ensure(self.session.kafka, plan(self.session.pipeline))
        self.tables = psycopg.connect(url, autocommit=True)
        self._producer = Producer(transactional(self.session.kafka, self.name))
        self._producer.init_transactions(30)

    def publish(self, count: int) -> None:
        """Documents at several places of their way, in one transaction; and the same once before, aborted."""
        self._write(count)
        self._producer.abort_transaction(30)
        # On a busy machine the client has been seen to take a record for written that the broker does not have: its
        # report then has no error, and no offset either.
        while not self._write(count):
            self._producer.abort_transaction(30)
        self._producer.commit_transaction(30)
        self.written += count + len(HOSTILE)

    def _write(self, count: int) -> bool:
        """Begin a transaction with the records; gives whether the broker has them all."""
        places: list[int | None] = []
        self._producer.begin_transaction()
        for number in range(count):
            document = f"d{random.randrange(count)}"
            event = DocumentSubmitted(document_id=document, content=b"x", batch_id=f"b{number % 3}")
            topic = random.choice(("ingest", "classify", "analyze.retry.5s", "store.parked", "results", "classify.dlq"))
            value = self.session.codec.encode(event) if topic == "ingest" else b"x"
            self._produce(topic, document.encode(), value, places)
        for key, hostile in HOSTILE:
            self._produce("ingest", key, hostile, places)
        # What is aborted before the broker has all of it makes the broker miss numbers later on.
        assert self._producer.flush(30) == 0
        return all(place is not None and place >= 0 for place in places)

    def _produce(self, topic: str, key: bytes | None, value: bytes | None, places: list[int | None]) -> None:
        def written(error: Any, message: Any) -> None:
            places.append(None if error else message.offset())

        self._producer.produce(f"{self.name}.{topic}", key=key, value=value, on_delivery=written)

    def count(self) -> int:
        """Entries."""
        row = self.tables.execute("select count(*) from journal_entries").fetchone()
        return int(row[0]) if row else 0

    def told(self) -> list[list[Any]]:
        """Everything in the tables."""
        return [self.tables.execute(f"select * from {name} order by 1, 2, 3, 4").fetchall() for name in TABLES]  # type: ignore[call-overload]

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it."""
        self.herd.wait_until(holds, 60, lambda: f"{self.count()} of {self.written}")

    def start(self) -> Any:
        """One more journal."""
        return self.herd.start("services.journal")


@pytest.fixture
def place(parts: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    schema = f"journal_{uuid.uuid4().hex}"
    with psycopg.connect(parts.database or "", autocommit=True) as connection:
        connection.execute(f"create schema {schema}")  # type: ignore[call-overload]
        url = f"{parts.database}?options=-csearch_path%3D{schema}"
        migrate(url)
        own = Place(parts, url, tmp_path)
        with own.herd:
            yield own
        own.tables.close()
        connection.execute(f"drop schema {schema} cascade")  # type: ignore[call-overload]


def test_killed_and_doubled_and_emptied_it_has_each_record_once_and_the_same_again(place: Place) -> None:
    for round_ in range(4):
        place.publish(500)
        process = place.start()
        # Somewhere between its start and its end.
        goal = place.count() + random.randrange(400) if round_ else 1
        place.until(lambda goal=goal: place.count() >= goal)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    place.start()
    place.start()
    place.publish(500)
    place.until(lambda: place.count() == place.written)
    records = Reader(place.session.kafka).read([f"{place.name}.{t}" for t in ("ingest", "classify", "results")])
    known = {tuple(row) for row in place.tables.execute('select topic, partition, "offset" from journal_entries')}
    assert {(r.position.topic, r.position.partition, r.position.offset) for r in records} <= known
    before = place.told()

    async def empty() -> None:
        async with place.session.database() as database:
            await JournalTable(database, place.name).empty()

    asyncio.run(empty())
    place.until(lambda: place.count() == place.written)
    assert place.told() == before
    standing = 'document_id, state, stage, at, depth, topic, partition, "offset"'
    again = place.tables.execute(
        f"select distinct on (document_id) {standing} from journal_entries where state <> '' and document_id <> ''"  # type: ignore[call-overload]
        ' order by document_id, at desc, depth desc, topic desc, partition desc, "offset" desc'
    ).fetchall()
    kept = place.tables.execute(f"select {standing} from journal_documents order by document_id").fetchall()  # type: ignore[call-overload]
    assert again == kept


def test_while_postgresql_is_locked_it_waits_and_goes_on(place: Place) -> None:
    place.publish(100)
    process = place.start()
    place.until(lambda: place.count() == place.written)
    with psycopg.connect(place.url) as other:
        other.execute("lock table journal_entries in access exclusive mode")
        place.publish(100)
        began = time.monotonic()
        place.herd.reaches(lambda: time.monotonic() - began > 2, 3)
        assert process.poll() is None
    place.until(lambda: place.count() == place.written)


def test_it_audits_and_runs_the_janitor_for_the_gauges(place: Place) -> None:
    place.publish(50)
    port = free_port()
    often = {"PENSTOCK_JOURNAL__AUDIT_SECONDS": "0.5", "PENSTOCK_JANITOR__EVERY_SECONDS": "0.5"}
    place.herd.start("services.journal", PENSTOCK_HEALTH_PORT=str(port), **often)

    def gauge(name: str) -> float:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0.0
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))

    place.until(lambda: gauge("penstock_audit_findings") > 0)
    place.until(lambda: gauge("penstock_documents") > 0)
    assert gauge("penstock_audit_timestamp_seconds") > 0
    place.until(lambda: gauge("penstock_janitor_timestamp_seconds") > 0)
