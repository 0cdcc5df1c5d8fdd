"""The review desk: what a request says, and what each decision causes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from schemas.events import DocumentClassified, DocumentResult, DocumentValidated
from services.review.desk import decided, requested
from shared.codec.avro import AvroCodec
from shared.core.delivery import Delivery
from shared.core.errors import Failed, Misconfigured
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, Pipeline, edge, on_failure
from shared.core.outcome import Review
from shared.core.settle import Place, settle
from shared.core.stage import stage
from shared.pipelines.documents import DOCUMENTS, VALIDATE
from shared.ports import ReviewItem
from tests.store.documents import NOW, STANDARD, TECHNICAL

CODEC = AvroCodec((DocumentClassified, DocumentValidated, DocumentResult))
DECIDED_AT = datetime(2026, 3, 2, tzinfo=UTC)


def delivered(**changes: Any) -> Delivery:
    """A record of the review topic, as the validate stage writes it."""
    handled = Delivery(Position("documents.validate", 3, 9), b"invoice-1", b"...", (("trace", b"abc"),), NOW)
    outcome = Review("2 of 4 checks failed", TECHNICAL, Failure.LOW_QUALITY)
    (write,) = settle(Place(DOCUMENTS, VALIDATE), handled, None, outcome, NOW).writes
    record = Delivery(Position(write.topic, 0, 7), write.key, CODEC.encode(TECHNICAL), write.headers, NOW)
    return replace(record, **changes)


def item(decision: str, **changes: Any) -> ReviewItem:
    """The review of that record, decided."""
    asked = requested(DOCUMENTS, delivered())
    return replace(asked, decision=decision, decided_by="ada", decided_at=DECIDED_AT, sequence=1, **changes)


def test_a_request_says_who_asks_for_what_and_why() -> None:
    asked = requested(DOCUMENTS, delivered())
    assert (asked.review_id, asked.document_id, asked.pipeline) == ("documents.review/0/7", "invoice-1", "documents")
    assert (asked.stage, asked.failure, asked.reason) == ("validate", "low_quality", "2 of 4 checks failed")
    assert (asked.requested_at, asked.decision, asked.sequence) == (NOW, "", 0)


@pytest.mark.parametrize("changes", [{"key": None}, {"key": b""}, {"value": None}, {"value": b""}, {"headers": ()}])
def test_a_record_that_asks_for_nothing_is_an_invalid_event(changes: dict[str, Any]) -> None:
    with pytest.raises(Failed, match=r"documents\.review/0/7") as raised:
        requested(DOCUMENTS, delivered(**changes))
    assert raised.value.failure is Failure.INVALID_EVENT


def test_a_request_with_bytes_that_are_no_text_can_still_be_shown_and_stored() -> None:
    headers = (("penstock-stage", b"validate"), ("penstock-message", b"a\0b\xff"))
    asked = requested(DOCUMENTS, delivered(key=b"\xff\0", headers=headers))
    assert (asked.document_id, asked.reason) == ("\ufffd\ufffd", "a\ufffdb\ufffd")


def test_approval_sends_the_proposal_on_with_its_bytes_untouched() -> None:
    approved = item("approve")
    outcome = decided(DOCUMENTS, CODEC, approved)
    (write,) = outcome.writes
    assert (write.topic, write.key, write.value) == ("documents.store", b"invoice-1", approved.proposal)
    assert outcome.rows == ()


def test_approval_follows_the_condition_of_the_edges() -> None:
    proposal = CODEC.encode(STANDARD)
    (standard,) = decided(DOCUMENTS, CODEC, item("approve", stage="classify", proposal=proposal)).writes
    technical = replace(STANDARD, classification=TECHNICAL.classification)
    proposal = CODEC.encode(technical)
    (analyzed,) = decided(DOCUMENTS, CODEC, item("approve", stage="classify", proposal=proposal)).writes
    assert (standard.topic, analyzed.topic) == ("documents.store", "documents.analyze")


def test_rejection_ends_the_document_with_the_note_as_its_reason() -> None:
    outcome = decided(DOCUMENTS, CODEC, item("reject", note="a forgery"))
    (write,) = outcome.writes
    result = write.value
    assert isinstance(result, DocumentResult)
    assert (write.topic, write.key) == ("documents.results", b"invoice-1")
    assert (result.state, result.reason, result.finished_at) == ("rejected", "a forgery", DECIDED_AT)
    (row,) = outcome.rows
    assert (row.state, row.reason, row.fields) == ("rejected", "a forgery", {"total": "12,50"})


def test_the_same_rejection_twice_is_the_same_event_and_the_same_row() -> None:
    rejection = item("reject")
    assert decided(DOCUMENTS, CODEC, rejection) == decided(DOCUMENTS, CODEC, rejection)
    assert decided(DOCUMENTS, CODEC, rejection).rows[0].reason == "rejected by ada"


def test_a_proposal_that_cannot_be_decoded_is_said_to_be() -> None:
    with pytest.raises(Failed) as raised:
        decided(DOCUMENTS, CODEC, item("approve", proposal=b"rubbish"))
    assert raised.value.failure is Failure.UNDECODABLE


def test_a_stage_that_the_pipeline_no_longer_has_is_named() -> None:
    with pytest.raises(Misconfigured, match="no stage 'checked'"):
        decided(DOCUMENTS, CODEC, item("approve", stage="checked"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An event of somebody else's pipeline."""

    __avro__: ClassVar[str] = (
        '{"type":"record","name":"Ticket","namespace":"help","fields":[{"name":"document_id","type":"string"}]}'
    )
    document_id: str

    @classmethod
    def from_avro(cls, record: Any) -> "Ticket":
        """Build it."""
        return cls(document_id=record["document_id"])

    def to_avro(self) -> dict[str, Any]:
        """Give it."""
        return {"document_id": self.document_id}


SORT = stage("sort", takes=Ticket, gives=Ticket)


def never(ticket: Ticket) -> bool:
    """Nothing."""
    return not ticket.document_id


def tickets(condition: Any = None) -> Pipeline:
    """Somebody else's pipeline."""
    flow = (edge(SORT, RESULTS, when=condition),)
    return Pipeline("tickets", flow=flow, failures=(on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),))


def ticket(decision: str) -> tuple[AvroCodec, ReviewItem]:
    """A decided ticket and the codec that reads it."""
    codec = AvroCodec((Ticket,))
    return codec, item(decision, stage="sort", proposal=codec.encode(Ticket(document_id="t1")), document_id="t1")


def test_another_pipeline_approves_by_its_own_edges_and_rejects_into_the_log() -> None:
    codec, approval = ticket("approve")
    (write,) = decided(tickets(), codec, approval).writes
    assert (write.topic, write.key) == ("tickets.results", b"t1")
    rejection = decided(tickets(), codec, replace(approval, decision="reject"))
    assert (rejection.rows, rejection.writes) == ((), ())
    assert "t1 rejected by ada" in rejection.note


def test_an_approval_that_no_edge_takes_is_not_dropped_silently() -> None:
    codec, approval = ticket("approve")
    with pytest.raises(Failed, match="no edge from sort takes this Ticket"):
        decided(tickets(never), codec, approval)
