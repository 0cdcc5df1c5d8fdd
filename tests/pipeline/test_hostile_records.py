"""Records that are no documents: each becomes a dead letter with its bytes, and the record behind it is processed."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest

from infra.bench import outsider
from tests.pipeline.live.installation import RESULT, SUBMITTED, Documents, in_flight
from tests.pipeline.live.texts import invoice, letter

PARTITION = 3
"""All go to one, so that each good record stands right behind a bad one."""
LARGEST = 1_040_000
"""Bytes that the ingest topic still takes: more than any record that the pipeline itself writes."""
LONG_AGO = int((time.time() - 120) * 1000)
"""Its minute of waiting for a schema is over."""


def good(name: str, **fields: Any) -> bytes:
    """A submission on the wire."""
    return outsider.encoded(SUBMITTED, letter(name, **fields))


def later_schema(field: str) -> Any:
    """DocumentSubmitted as a later release might have it: nobody here knows it."""
    schema = json.loads(Path("schemas/DocumentSubmitted.avsc").read_text("utf-8"))
    schema["fields"].append({"name": field, "type": "string", "default": ""})
    return schema


def of_later(field: str, name: str) -> bytes:
    """A submission by a later release."""
    return outsider.encoded(copy.deepcopy(later_schema(field)), letter(name) | {field: "new"})


ELSEWHERE = {"uri": "file:///etc/passwd", "sha256": "0" * 64, "size": 1}
ENDED = {field["name"]: field.get("default") for field in RESULT["fields"]} | {
    **{"document_id": "h-result", "tenant": "", "version": 1, "batch_id": "", "state": "stored", "document_type": ""},
    **{"track": "", "confidence": 1.0, "fields": {}, "summary": "", "answers": {}, "models": [], "cost_usd": 0.0},
    **{"metadata": {}, "submitted_at": 0, "finished_at": 0},
}
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "h-no-key": ({"key": None, "value": good("h-no-key")}, "invalid_event"),
    "h-wrong-key": ({"key": b"\xff\xfe", "value": good("h-wrong-key")}, "invalid_event"),
    "h-no-id": ({"key": b"", "value": good("")}, "invalid_event"),
    "h-tombstone": ({"key": b"h-tombstone", "value": None}, "invalid_event"),
    "h-result": ({"key": b"h-result", "value": outsider.encoded(RESULT, ENDED)}, "invalid_event"),
    "h-elsewhere": ({"key": b"h-elsewhere", "value": good("h-elsewhere", content=ELSEWHERE)}, "invalid_event"),
    "h-nothing": ({"key": b"h-nothing", "value": b""}, "undecodable"),
    "h-garbage": ({"key": b"h-garbage", "value": bytes(reversed(range(256)))}, "undecodable"),
    "h-largest": ({"key": b"h-largest", "value": b"\x17" * LARGEST}, "undecodable"),
    "h-cut-off": ({"key": b"h-cut-off", "value": good("h-cut-off")[:-20]}, "undecodable"),
    "h-left-over": ({"key": b"h-left-over", "value": good("h-left-over") + b"."}, "undecodable"),
    "h-unknown-id": ({"key": b"h-unknown-id", "value": b"\0\0\0\0\x09what", "timestamp": LONG_AGO}, "unknown_schema"),
    "h-unknown-schema": (
        {"key": b"h-unknown-schema", "value": of_later("shape", "h-unknown-schema"), "timestamp": LONG_AGO},
        "unknown_schema",
    ),
}
"""Each as it is sent, and the class under which it ends."""


@pytest.fixture(scope="module")
def letters(documents: Documents) -> list[outsider.Record]:
    """Every hostile record has been sent with a good one right behind it, and the good ones are stored."""
    records: list[dict[str, Any]] = []
    for name, (record, _) in HOSTILE.items():
        behind = f"behind-{name}"
        records += [record, {"key": behind.encode(), "value": good(behind)}]
    outsider.send(documents.kafka, "documents.ingest", ({**record, "partition": PARTITION} for record in records))
    documents.wait_until_stored([f"behind-{name}" for name in HOSTILE])
    sent = {record["value"]: name for name, (record, _) in HOSTILE.items()}

    def found() -> list[outsider.Record]:
        return [one for one in outsider.read(documents.kafka, "documents.extract.dlq") if one[1] in sent]

    def missing() -> set[str]:
        return HOSTILE.keys() - {sent[value] for _, value, _ in found()}

    documents.herd.wait_until(lambda: not missing(), 20, lambda: f"no dead letters: {missing()}")
    return found()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_record_is_a_dead_letter_of_its_class_with_its_key_and_its_bytes(
    letters: list[outsider.Record], name: str
) -> None:
    sent, failure = HOSTILE[name]
    [(headers, key)] = [(headers, key) for key, value, headers in letters if value == sent["value"]]
    assert (key or None, headers["penstock-failure"].decode()) == (sent["key"] or None, failure)
    assert len(headers["penstock-message"]) > 20


def test_nothing_else_became_a_dead_letter(letters: list[outsider.Record]) -> None:
    assert len(letters) == len(HOSTILE)


def test_a_record_of_a_schema_not_met_yet_waits_until_the_schema_is_told_and_holds_nobody_up(
    documents: Documents,
) -> None:
    name, behind = "h-later", "behind-h-later"
    records = [{"key": name, "value": of_later("colour", name)}, {"key": behind, "value": good(behind)}]
    outsider.send(documents.kafka, "documents.ingest", ({**record, "partition": PARTITION} for record in records))
    documents.wait_until_stored([behind])
    assert not documents.rows([name])
    assert not documents.read("extract.dlq", [name])
    [(_, port)] = documents.running["extract"]
    assert in_flight(port) >= 1, "it is held"
    schema = later_schema("colour")
    mark = outsider.mark_of(copy.deepcopy(schema))[2:].hex()
    outsider.publish(documents.kafka, "penstock.schemas", [(mark, json.dumps(schema).encode())])
    assert documents.wait_until_stored([name])[name]["document_type"] == "letter"


def test_a_task_that_nobody_knows_is_a_dead_letter_of_the_stage_that_was_to_do_it(documents: Documents) -> None:
    documents.publish([invoice("h-task", tasks=["translation"]), invoice("behind-h-task")])
    documents.wait_until_stored(["behind-h-task"])
    documents.herd.wait_until(lambda: len(documents.read("analyze.dlq", ["h-task"])) == 1, 20)
    [(_, _, headers)] = documents.read("analyze.dlq", ["h-task"])
    assert headers["penstock-failure"] == b"invalid_event"
    assert b"translation" in headers["penstock-message"]
    assert not documents.rows(["h-task"])
