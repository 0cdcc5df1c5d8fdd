"""With a schema registry events are in Confluent wire format, on the way in, within, and on the way out.

The registry is a stand-in (`live/registry.py`): the real one needs a Java server of its own.
"""

import io
import json
from pathlib import Path
from typing import Any

import fastavro

from infra.bench import outsider
from tests.pipeline.live import registry
from tests.pipeline.live.installation import SUBMITTED, Documents
from tests.pipeline.live.texts import letter


def framed(schema_id: int, record: dict[str, Any]) -> bytes:
    """A submission in Confluent wire format."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, SUBMITTED, record)
    return b"\0" + schema_id.to_bytes(4, "big") + body.getvalue()


def test_submissions_in_confluent_wire_format_are_stored_and_what_follows_from_them_is_in_it_too(
    documents: Documents,
) -> None:
    theirs, plain = [f"confluent-{n}" for n in range(5)], "fingerprint-1"
    with (
        registry.serving() as served,
        documents.instead({"PENSTOCK_SCHEMA_REGISTRY_URL": served.url}, extract=1, classify=1, store=1),
    ):
        schema_id = served.register("documents.ingest-value", Path("schemas/DocumentSubmitted.avsc").read_text("utf-8"))
        records = [(name, framed(schema_id, letter(name))) for name in theirs]
        outsider.publish(documents.kafka, "documents.ingest", records)
        documents.publish([letter(plain)])
        documents.herd.wait_until(lambda: documents.rows([*theirs, plain]).keys() == {*theirs, plain}, 30)
        documents.herd.wait_until(lambda: len(documents.read("results", [*theirs, plain])) == len(theirs) + 1, 20)
    for topic, name in (("classify", "TextExtracted"), ("store", "DocumentClassified"), ("results", "DocumentResult")):
        for key, value, _ in documents.read(topic, [*theirs, plain]):
            written = served.schema(int.from_bytes(value[1:5], "big"))
            assert value[:1] == b"\0"
            assert written
            assert json.loads(written)["name"] == name
            event: Any = fastavro.schemaless_reader(
                io.BytesIO(value[5:]), fastavro.parse_schema(json.loads(written)), None
            )
            assert event["document_id"] == key.decode()
    assert served.subjects.keys() >= {"documents.TextExtracted", "documents.DocumentResult"}
