"""Every outcome has its topic, and what one record causes is decided in one place."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import headers
from shared.core.delivery import Delivery
from shared.core.event import derived_id
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, REVIEW, Pipeline, edge, on_failure
from shared.core.headers import Headers, history_of
from shared.core.outcome import DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.settle import Place, Settled, Write, settle, targets
from shared.core.stage import stage
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import NOW, delivery, ticket

BIN = stage("bin", takes=TicketOpened, gives=TicketClosed)


def urgent(found: TicketTriaged) -> bool:
    return found.urgent


FORKED = Pipeline(
    "forked",
    flow=(
        edge(TRIAGE, CLOSE, when=urgent),
        edge(TRIAGE, RESULTS, when=lambda found: found.subject == "both" or not found.subject),
        edge(CLOSE, RESULTS),
        edge(BIN, RESULTS),
    ),
    failures=(
        on_failure(TRIAGE, Failure.UNSUPPORTED, BIN),
        on_failure(TRIAGE, Failure.LOW_QUALITY, REVIEW),
        on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),
    ),
)
SENT: Headers = (("traceparent", b"00-abc"), ("x", b"1"), ("x", b"2"))


def triaged(subject: str = "printer", *, is_urgent: bool = True) -> TicketTriaged:
    return TicketTriaged(document_id="t1", subject=subject, urgent=is_urgent)


def decided(outcome: Outcome[Any], record: Delivery | None = None, pipeline: Pipeline = TICKETS) -> Settled:
    return settle(Place(pipeline, TRIAGE), record or delivery(headers=SENT), ticket(), outcome, NOW)


def only(settled: Settled) -> Write:
    [write] = settled.writes
    return write


def redelivered(write: Write, offset: int = 0) -> Delivery:
    """What is written, as the stage gets it back."""
    assert isinstance(write.value, bytes)
    return delivery(
        offset,
        key=write.key,
        value=write.value,
        headers=write.headers,
        topic=write.topic,
        partition=write.partition or 0,
    )


def test_an_emitted_event_goes_to_the_next_stage_by_its_document() -> None:
    write = only(decided(Emit(triaged())))
    assert (write.topic, write.key, write.partition) == ("tickets.close", b"t1", None)


def test_the_last_stage_gives_to_the_results() -> None:
    closed = TicketClosed(document_id="t1", answer="done")
    settled = settle(Place(TICKETS, CLOSE), delivery(), triaged(), Emit(closed), NOW)
    assert only(settled).topic == "tickets.results"


def test_nothing_emitted_is_nothing_written() -> None:
    assert decided(Emit()) == Settled()


def test_an_event_takes_every_edge_whose_condition_holds() -> None:
    settled = decided(Emit(triaged("both")), pipeline=FORKED)
    assert [write.topic for write in settled.writes] == ["forked.close", "forked.results"]
    assert targets(FORKED, TRIAGE, triaged("x")) == ("forked.close",)


def test_an_event_that_no_edge_takes_is_a_dead_letter_that_says_so() -> None:
    settled = decided(Emit(triaged(is_urgent=False)), pipeline=FORKED)
    assert only(settled).topic == "forked.triage.dlq"
    assert settled.failure is Failure.INTERNAL
    history = history_of(only(settled).headers)
    assert history is not None
    assert "no edge from triage takes this TicketTriaged" in history.message


def test_the_same_input_always_gives_the_same_ids() -> None:
    first, again = decided(Emit(triaged(), triaged("b"))), decided(Emit(triaged(), triaged("b")))
    assert first == again
    ids = [write.value.event_id for write in first.writes if isinstance(write.value, TicketTriaged)]
    assert len(set(ids)) == 2


def test_ids_come_from_the_parents_id_else_from_where_it_first_stood() -> None:
    parent = replace(triaged(), event_id="parent")
    closed = TicketClosed(document_id="t1", answer="")
    write = only(settle(Place(TICKETS, CLOSE), delivery(), parent, Emit(closed), NOW))
    assert isinstance(write.value, TicketClosed)
    assert write.value.event_id == derived_id("parent", "close", 0)
    write = only(decided(Emit(triaged())))
    assert isinstance(write.value, TicketTriaged)
    assert write.value.event_id == derived_id("tickets.ingest/0/0", "triage", 0)


def test_a_retried_record_gives_the_same_ids_as_at_its_first_try() -> None:
    retried = redelivered(only(decided(Retry(Failure.TIMEOUT, "slow"))), offset=99)
    assert decided(Emit(triaged()), retried) == decided(Emit(triaged()))


def test_a_retry_waits_in_the_tier_of_its_attempt_on_its_own_partition() -> None:
    write = only(decided(Retry(Failure.TIMEOUT, "slow"), delivery(partition=2)))
    assert (write.topic, write.partition, write.value) == ("tickets.triage.retry.1s", 2, b"bytes")
    assert only(decided(Retry(Failure.TIMEOUT, "slow", after=1.5))).topic == "tickets.triage.retry.2s"


def test_a_record_that_fails_again_and_again_ends_as_a_dead_letter_with_its_whole_story() -> None:
    record, seen = delivery(4, headers=SENT), []
    for later in range(3):
        now = NOW + timedelta(minutes=later)
        settled = settle(Place(TICKETS, TRIAGE), record, ticket(), Retry(Failure.TIMEOUT, f"slow {later}"), now)
        record = redelivered(only(settled), offset=later)
        seen.append(record.position.topic)
    assert seen == ["tickets.triage.retry.1s", "tickets.triage.retry.2s", "tickets.triage.dlq"]
    history = history_of(record.headers)
    assert history is not None
    assert (history.attempts, history.failure, history.message) == (3, Failure.TIMEOUT, "slow 2")
    assert (history.first_failed_at, history.failed_at) == (NOW, NOW + timedelta(minutes=2))
    assert str(history.origin) == "tickets.ingest/0/4"


def test_headers_of_the_sender_are_kept_and_ours_stand_once_after_many_failures() -> None:
    record = delivery(headers=SENT)
    for _ in range(3):
        record = redelivered(only(decided(Retry(Failure.TIMEOUT, "slow"), record)))
    assert record.headers[: len(SENT)] == SENT
    ours = [name for name, _ in record.headers if name.startswith(headers.PREFIX)]
    assert sorted(set(ours)) == sorted(ours)


def test_a_dead_letter_keeps_key_bytes_and_class() -> None:
    settled = decided(DeadLetter(Failure.EMPTY, "nothing in it"), delivery(value=b"\x00raw", key=b"k", headers=SENT))
    write = only(settled)
    assert (write.topic, write.key, write.value) == ("tickets.triage.dlq", b"k", b"\x00raw")
    assert (headers.FAILURE, b"empty") in write.headers
    assert settled.failure is Failure.EMPTY


def test_a_tombstone_without_a_key_can_be_a_dead_letter() -> None:
    record = delivery(key=None, value=None)
    write = only(settle(Place(TICKETS, TRIAGE), record, None, DeadLetter(Failure.INVALID_EVENT, "no value"), NOW))
    assert (write.topic, write.key, write.value) == ("tickets.triage.dlq", None, None)


def test_a_failure_routed_to_a_stage_hands_on_the_input_as_it_came() -> None:
    retried = redelivered(only(decided(Retry(Failure.TIMEOUT, "slow"), pipeline=FORKED)))
    write = only(decided(DeadLetter(Failure.UNSUPPORTED, "spam"), retried, FORKED))
    assert (write.topic, write.key, write.value, write.headers) == ("forked.bin", b"t1", b"bytes", SENT)


def test_a_failure_routed_to_a_person_without_a_proposal_is_a_dead_letter() -> None:
    settled = decided(DeadLetter(Failure.LOW_QUALITY, "poor"), pipeline=FORKED)
    assert only(settled).topic == "forked.triage.dlq"


def test_a_review_carries_what_approval_would_emit_under_the_id_it_would_have() -> None:
    write = only(decided(Review("look", proposal=triaged())))
    assert write.topic == "tickets.review"
    assert write.value == only(decided(Emit(triaged()))).value
    assert write.headers[: len(SENT)] == SENT
    history = history_of(write.headers)
    assert history is not None
    assert (history.stage, history.message, history.failure) == ("triage", "look", Failure.LOW_CONFIDENCE)


@pytest.mark.parametrize(
    ("failure", "topic"),
    [(Failure.LOW_QUALITY, "forked.review"), (Failure.UNGROUNDED, "forked.triage.dlq"), (None, "forked.review")],
)
def test_a_review_goes_to_a_person_unless_its_class_is_routed_elsewhere(failure: Failure | None, topic: str) -> None:
    assert only(decided(Review("look", triaged(), failure), pipeline=FORKED)).topic == topic


def test_a_parked_record_is_held_and_nothing_is_written() -> None:
    assert decided(Park("model:x", "open", after=2.5)) == Settled(hold=2.5, dependency="model:x")
