"""What the journal makes of a record, whatever is in it, and what a document's entries come to."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events import DocumentAnalyzed, DocumentResult, DocumentSubmitted, ModelCall
from shared.core.context import Call
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import REPLAYED, STAGE, WAITS_FOR, History
from shared.core.shelves import shelves
from shared.core.timeline import NAME_CHARACTERS, Entry, clean, entry_of, last, letter_place, name
from shared.core.tries import Try
from shared.pipelines.documents import DOCUMENTS
from tests.unit.documents import analysis, analyzed, classified

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHELVES = shelves(DOCUMENTS, (DocumentResult,))
CALL = Call("extraction", "sim", "sim-large", "extract-fields@1", 100, 20, 0.01, 50, "malformed_json")
HISTORY = History(
    "analyze", Failure.MALFORMED_JSON, "no JSON", 2, NOW, NOW, Position("documents.analyze", 0, 4),
    (Try(1, NOW, "timeout", "late"), Try(2, NOW, "malformed_json", "no JSON", (CALL,))),
)  # fmt: skip


def entry(topic: str, event: Any = None, headers: Any = (), key: bytes | None = b"d1", seconds: float = 0) -> Entry:
    """What becomes of a record."""
    record = Delivery(Position(topic, 0, 7), key, b"x", tuple(headers), NOW + timedelta(seconds=seconds))
    return entry_of(record, SHELVES[topic], event, fresh_calls=isinstance(event, DocumentAnalyzed))


def test_a_document_on_its_way_is_told_hop_by_hop() -> None:
    submitted = DocumentSubmitted(document_id="d1", content=b"x", batch_id="b1", tenant="acme")
    first = entry("documents.ingest", submitted)
    assert (first.kind, first.stage, first.state, first.batch_id) == ("arrived", "extract", "waiting", "b1")
    assert first.detail["tenant"] == "acme"
    assert entry("documents.analyze.parked", None, [(WAITS_FOR, b"model:sim")]).message == "waits for model:sim"
    asked = entry("documents.review", None, [(STAGE, b"validate")])
    assert (asked.kind, asked.stage, asked.state) == ("review", "validate", "in-review")


def test_a_failed_attempt_tells_its_calls_and_only_its_own() -> None:
    held = entry("documents.analyze.retry.5s", None, HISTORY.to_headers())
    assert (held.kind, held.state, held.failure, held.attempts) == ("retry", "in-retry", "malformed_json", 2)
    assert [(call["model"], call["prompt"], call["cost_usd"]) for call in held.detail["calls"]] == [
        ("sim-large", "extract-fields@1", 0.01)
    ]
    letter = entry("documents.analyze.dlq", None, HISTORY.to_headers())
    assert (letter.state, letter.letter) == ("dead-lettered", "documents.analyze.dlq/0/7")


def test_calls_are_told_with_the_event_that_they_were_made_for() -> None:
    call = ModelCall(**{name: getattr(CALL, name) for name in CALL.__slots__})
    event = analyzed(classified("text"), replace(analysis({}), calls=(call,)))
    told = entry("documents.validate", event)
    assert len(told.detail["calls"]) == 1
    assert told.detail["document_type"] == event.classification.document_type
    assert told.detail["confidence"] == event.analysis.confidence
    record = Delivery(Position("documents.validate", 0, 7), b"d1", b"x", (), NOW)
    assert "calls" not in entry_of(record, SHELVES["documents.validate"], event).detail


def test_a_replayed_record_names_its_letter_and_the_note_the_same_one() -> None:
    back = entry("documents.analyze", None, [(REPLAYED, b"documents.analyze.dlq/0/7")])
    assert (back.kind, back.letter) == ("re-entered", "documents.analyze.dlq/0/7")
    said = json.dumps({"action": "replayed", "by": "robin", "reason": "mended", "document_id": "d1"}).encode()
    note = Delivery(Position("documents.dlq.resolved", 0, 1), b"analyze/0/7", said, (), NOW)
    told = entry_of(note, SHELVES["documents.dlq.resolved"], None)
    assert (told.letter, told.document_id, told.state, told.detail["by"]) == (back.letter, "d1", "", "robin")
    assert letter_place("documents.dlq.resolved", "analyze/0/7") == back.letter


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b"\xff", b'"x"', b"null", b"[" * 100_000])
def test_a_note_that_nobody_of_us_wrote_is_kept_as_that(value: bytes) -> None:
    note = Delivery(Position("documents.dlq.resolved", 0, 1), None, value, (), NOW)
    told = entry_of(note, SHELVES["documents.dlq.resolved"], None)
    assert (told.kind, told.document_id, told.state) == ("resolved", "", "")


def test_what_cannot_be_read_says_why_and_has_a_place() -> None:
    broken = entry("documents.store", Failed(Failure.UNDECODABLE, "no Avro"), key=None)
    assert (broken.document_id, broken.message) == ("", "undecodable: no Avro")
    tombstone = Delivery(Position("documents.store", 0, 7), b"d1", None, (), NOW)
    assert "tombstone" in entry_of(tombstone, SHELVES["documents.store"], None).message
    forged = [(STAGE, b"s" * 10_000), *HISTORY.to_headers()[1:3], ("penstock-attempts", b"9" * 30)]
    assert len(entry("documents.review", None, forged).stage) < NAME_CHARACTERS + 20


def test_names_stay_different_when_they_are_cut() -> None:
    assert name("short") == "short"
    assert name("x" * 5000) != name("x" * 5001)
    assert name("\0\ud800") == "\N{REPLACEMENT CHARACTER}?"
    assert clean({"a\0": [float("nan"), 1.5, ("\ud800",)]}) == {"a\N{REPLACEMENT CHARACTER}": [None, 1.5, ["?"]]}


def test_the_state_follows_from_time_then_depth_and_never_from_the_order_of_reading() -> None:
    entries = [
        entry("documents.ingest"),
        entry("documents.analyze", seconds=1),
        entry("documents.analyze.dlq", None, HISTORY.to_headers(), seconds=2),
        entry("documents.analyze", None, [(REPLAYED, b"documents.analyze.dlq/0/7")], seconds=3),
        entry("documents.validate", seconds=4),
        entry("documents.store", seconds=4),
    ]
    for seed in range(10):
        random.Random(seed).shuffle(entries)
        found = last(entries)
        assert found
        assert (found.stage, found.state) == ("store", "waiting")
    assert last([]) is None
