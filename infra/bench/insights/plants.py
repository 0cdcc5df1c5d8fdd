"""Losses and duplicates, each on a document of its own: an audit that misses one says nothing by its silence."""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bench import outsider
from infra.bench.outsider import Stamped
from schemas.events import DocumentValidated
from shared.database.pool import open_database

SCHEMAS = Path(__file__).parents[3] / "schemas"
SUBMITTED, RESULT = (outsider.load(SCHEMAS / f"{name}.avsc") for name in ("DocumentSubmitted", "DocumentResult"))
VALIDATED = outsider.schema(DocumentValidated.__avro__)
ROOT = uuid.UUID("6f8c2a1e-0f6d-5a0b-9d57-70e4573c0de5")
"""Root of the ids of events, as an outsider knows it."""
NOTE = {"receipt": "r", "by": "bench", "reason": "planted", "at": "2026-03-01T12:00:00+00:00", "batch_id": ""}
SUBMISSION = """
insert into submissions (pipeline, document_id, tenant, version, sha256, batch_id, filename, submitted_at)
values ('documents', %s, 'default', 1, '', '', '', now())
"""


@dataclass
class Field:
    """A pipeline at rest, to which an outsider does wrong."""

    kafka: str
    """Bootstrap servers."""
    database: str
    """Address of the tables."""
    mark: str
    """Begins the names of its documents."""

    def of(self, topic: str) -> list[Stamped]:
        """Records of this run."""
        every = outsider.read_stamped(self.kafka, f"documents.{topic}")
        return [one for one in every if one.key.startswith(self.mark.encode())]

    def put(self, topic: str, record: Stamped, **changes: Any) -> None:
        """The record once more."""
        again = {"key": record.key, "value": record.value, "headers": record.headers} | changes
        outsider.send(self.kafka, f"documents.{topic}", [again])

    def sql(self, statement: Any, values: list[Any]) -> list[Any]:
        """One statement."""

        async def run() -> list[Any]:
            async with open_database(self.database, "bench") as database, database.work() as connection:
                done = await connection.execute(statement, values)
                return await done.fetchall() if done.description else []

        return asyncio.run(run())

    def moved_past(self, stage: str, topic: str, record: Stamped) -> None:
        """The stage's group says that the record is done."""
        outsider.commit(self.kafka, f"documents.{stage}", (f"documents.{topic}", record.partition), record.offset + 1)

    def last(self, topic: str, name: str) -> Stamped:
        """The document's newest record there."""
        # By time: a copy need not be in the partition of what it is a copy of, and offsets of two tell nothing.
        return max((one for one in self.of(topic) if one.key.decode() == name), key=lambda one: one.milliseconds)

    def reviews_are_noted(self) -> bool:
        """The desk has read every request."""
        asked = len(self.of("review"))
        noted = self.sql("select count(*) as n from reviews where document_id like %s", [f"{self.mark}-%"])
        return bool(noted[0]["n"] >= asked)


def planted(field: Field) -> dict[str, str]:
    """Plant them all; gives each document with what was done to it."""
    stored = [one for one in field.of("results") if outsider.decoded(RESULT, one.value)["state"] == "stored"]
    whole = {one.key for one in field.of("store")}
    left = iter(one for one in stored if one.key in whole)
    names = {}
    for plant in PLANTS:
        names[plant(field, next(left))] = (plant.__doc__ or "").strip()
    return names


def row_removed(field: Field, record: Stamped) -> str:
    """A stored result is gone from its table."""
    field.sql("delete from results where pipeline = 'documents' and document_id = %s", [record.key.decode()])
    return record.key.decode()


def told_twice(field: Field, record: Stamped) -> str:
    """A result stands twice on the results topic."""
    field.put("results", record)
    return record.key.decode()


def handed_on_twice(field: Field, record: Stamped) -> str:
    """A stage has put its event out twice."""
    name = record.key.decode()
    field.put("classify", field.last("classify", name))
    return name


def passed_over(field: Field, record: Stamped) -> str:
    """A stage's progress has moved past a record that nobody worked on."""
    name = f"{field.mark}-passed"
    event = outsider.encoded(SUBMITTED, {"document_id": name, "content": b"x"})
    field.put("ingest", record, key=name.encode(), value=event)
    field.moved_past("extract", "ingest", field.last("ingest", name))
    return name


def retry_lost(field: Field, record: Stamped) -> str:
    """A record in a retry topic was passed over."""
    name = record.key.decode()
    before = field.last("analyze", name)
    headers = {
        "penstock-stage": b"analyze",
        "penstock-failure": b"timeout",
        "penstock-message": b"late",
        "penstock-attempts": b"1",
        "penstock-first-failed-at": b"2026-03-01T12:00:00+00:00",
        "penstock-failed-at": b"2026-03-01T12:00:00+00:00",
        "penstock-origin": f"documents.analyze/{before.partition}/{before.offset}".encode(),
    }
    # The record comes to the stage once more, as after a replay, goes to the retry topic, and there it ends.
    field.put("analyze", before)
    field.moved_past("analyze", "analyze", field.last("analyze", name))
    field.put("analyze.retry.5s", before, headers=headers)
    field.moved_past("analyze", "analyze.retry.5s", field.last("analyze.retry.5s", name))
    return name


def noted_as_replayed(field: Field, record: Stamped) -> str:
    """A dead letter is noted as replayed, and nothing re-entered."""
    letter = min(field.of("analyze.dlq"), key=lambda one: one.key)
    note = NOTE | {"action": "replayed", "document_id": letter.key.decode()}
    key = f"analyze/{letter.partition}/{letter.offset}".encode()
    field.put("dlq.resolved", letter, key=key, value=json.dumps(note).encode(), headers={})
    return letter.key.decode()


def buried_twice(field: Field, record: Stamped) -> str:
    """A record has become two dead letters."""
    letter = max(field.of("analyze.dlq"), key=lambda one: one.key)
    field.put("analyze.dlq", letter)
    return letter.key.decode()


def review_lost(field: Field, record: Stamped) -> str:
    """The desk has read a request and has no row of it."""
    asked = field.of("review")[0]
    place = f"documents.review/{asked.partition}/{asked.offset}"
    field.sql("delete from reviews where review_id = %s", [place])
    return asked.key.decode()


def accepted_and_lost(field: Field, record: Stamped) -> str:
    """The ingest door has accepted a document that never came to Kafka."""
    name = f"{field.mark}-accepted"
    field.sql(SUBMISSION, [name])
    return name


def stored_twice(field: Field, record: Stamped) -> str:
    """The same version was stored for two different events."""
    name = record.key.decode()
    before = field.last("store", name)
    event = outsider.decoded(VALIDATED, before.value) | {"event_id": str(uuid.uuid4())}
    field.put("store", before, value=outsider.encoded(VALIDATED, event))
    field.moved_past("store", "store", field.last("store", name))
    told = str(uuid.uuid5(ROOT, f"{event['event_id']}/store/0"))
    result = outsider.decoded(RESULT, record.value) | {"event_id": told}
    field.put("results", record, value=outsider.encoded(RESULT, result))
    return name


Plant = Callable[[Field, Stamped], str]
PLANTS: tuple[Plant, ...] = (
    row_removed,
    told_twice,
    handed_on_twice,
    passed_over,
    retry_lost,
    noted_as_replayed,
    buried_twice,
    review_lost,
    accepted_and_lost,
    stored_twice,
)
"""Each is given a document that went through, and names the one it did wrong to."""
