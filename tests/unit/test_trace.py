"""Which trace a record belongs to is found by everybody alike, and by nobody's word."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery import Delivery
from shared.core.failures import Failure
from shared.core.headers import REPLAYED, TRACE, Headers, History, kept
from shared.core.outcome import DeadLetter, Emit, Retry
from shared.core.reentry import Reentry
from shared.core.settle import Place, Write, settle
from shared.core.trace import descent, document_trace, onward, sender_of, trace_of
from tests.pipeline.tiny.events import TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import NOW, delivery, ticket

LETTER = delivery(3, topic="tickets.triage.dlq").position
TRIAGED = TicketTriaged(document_id="t1", subject="printer", urgent=False)
SENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def again(write: Write, offset: int = 0) -> Delivery:
    return Delivery(replace(delivery(offset).position, topic=write.topic), write.key, b"bytes", write.headers, NOW)


def triaged(record: Delivery, outcome: DeadLetter | Emit[TicketTriaged] | Retry) -> Delivery:
    """What follows from a record at triage."""
    [write] = settle(Place(TICKETS, TRIAGE), record, ticket(), outcome, NOW).writes
    return again(write)


def test_every_stage_and_every_attempt_finds_the_same_trace_without_a_header() -> None:
    first = trace_of("tickets", delivery(), ticket())
    followed = triaged(delivery(), Emit(TRIAGED))
    assert followed.headers == ()
    retried = triaged(delivery(), Retry(Failure.OVERLOADED, "busy"))
    dead = triaged(delivery(), DeadLetter(Failure.UNSUPPORTED, "spam"))
    assert {trace_of("tickets", one, event) for one, event in ((followed, TRIAGED), (retried, ticket()))} == {first}
    assert trace_of("tickets", dead, ticket()) == first == document_trace("tickets", ticket())


def test_another_pipeline_document_or_version_has_another_trace() -> None:
    class Versioned:
        document_id, version = "t1", 2

    traces = {document_trace("tickets", ticket()), document_trace("others", ticket())}
    traces |= {document_trace("tickets", ticket(document_id="t2")), document_trace("tickets", Versioned())}
    assert len({trace.id for trace in traces}) == 4


def test_what_cannot_be_decoded_is_on_its_own() -> None:
    assert trace_of("tickets", delivery(1), None) != trace_of("tickets", delivery(2), None)


def test_a_replay_is_a_new_trace_that_goes_on_through_all_later_stages_and_retries() -> None:
    first = trace_of("tickets", delivery(), ticket())
    came_back = delivery(9, headers=Reentry(LETTER, "receipt").to_headers())
    replayed = trace_of("tickets", came_back, ticket())
    assert (replayed.before, replayed.id != first.id) == (first.id, True)
    retried = triaged(came_back, Retry(Failure.OVERLOADED, "busy"))
    assert trace_of("tickets", retried, ticket()) == replayed
    followed = triaged(retried, Emit(TRIAGED))
    assert followed.headers == ((TRACE, str(LETTER).encode()),)
    assert trace_of("tickets", followed, TRIAGED).id == replayed.id
    failed = settle(Place(TICKETS, CLOSE), followed, TRIAGED, DeadLetter(Failure.INTERNAL, "no"), NOW)
    assert trace_of("tickets", again(failed.writes[0]), TRIAGED).id == replayed.id


def test_the_second_replay_is_linked_to_the_first() -> None:
    came_back = delivery(9, headers=Reentry(LETTER).to_headers())
    letter = triaged(came_back, DeadLetter(Failure.UNSUPPORTED, "spam again"))
    position = delivery(4, topic="tickets.triage.dlq").position
    second = delivery(12, headers=(*Reentry(position, number=2).to_headers(), *onward(letter)))
    found, before = trace_of("tickets", second, ticket()), trace_of("tickets", came_back, ticket())
    assert (found.before, found.id != before.id) == (before.id, True)
    # and its retries, which keep all headers that say where they are from, find it too
    assert trace_of("tickets", replace(second, headers=kept(second.headers)), ticket()) == found


def test_ids_are_never_zero_and_spans_differ_by_their_names() -> None:
    trace = document_trace("tickets", ticket())
    ids = {trace.root, trace.span("triage", "a/0/1"), trace.span("triage", "a/0/11"), trace.span("triagea", "/0/1")}
    assert len(ids) == 4
    assert all(0 < number < 2**64 for number in ids)
    assert len(trace.text) == 32


def test_ids_stay_what_they_are() -> None:
    """A trace spans releases: whoever changes the derivation tears every trace that is under way."""
    trace = document_trace("tickets", ticket())
    assert (trace.text, f"{trace.root:016x}") == ("8564e92de05fbb4c8062a515f8055753", "bce6fb91d844ff40")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (f"00-{SENT[0]}-{SENT[1]}-01", True),
        (f"00-{SENT[0]}-{SENT[1]}-00", True),
        (f"cc-{SENT[0]}-{SENT[1]}-01-what-the-future-will-be-like", True),
        (f"00-{SENT[0]}-{SENT[1]}-01-more", False),
        (f"ff-{SENT[0]}-{SENT[1]}-01", False),
        (f"00-{'0' * 32}-{SENT[1]}-01", False),
        (f"00-{SENT[0]}-{'0' * 16}-01", False),
        (f"00-{SENT[0].upper()}-{SENT[1]}-01", False),
        (f"00-{SENT[0]}-{SENT[1]}", False),
        ("", False),
    ],
)
def test_the_senders_trace_is_believed_where_it_makes_sense(said: str, found: bool) -> None:
    sender = sender_of(delivery(headers=(("traceparent", said.encode()),)))
    assert sender == ((int(SENT[0], 16), int(SENT[1], 16)) if found else None)


@given(st.lists(st.tuples(st.sampled_from([TRACE, REPLAYED, "traceparent"]), st.binary(max_size=80)), max_size=4))
def test_whatever_stands_in_headers_finds_a_trace(headers: list[tuple[str, bytes]]) -> None:
    forged: Headers = tuple(headers)
    record = delivery(headers=forged)
    assert trace_of("tickets", record, ticket()).id
    sender_of(record)
    assert len(descent(record)) < 200


def test_how_long_a_record_is_at_its_stage_is_known_after_retries_too() -> None:
    retried = triaged(delivery(), Retry(Failure.OVERLOADED, "busy"))
    later = replace(retried, appended_at=NOW.replace(hour=23))
    assert later.arrived_at == NOW
    twice = triaged(later, DeadLetter(Failure.UNSUPPORTED, "spam"))
    assert replace(twice, appended_at=NOW.replace(hour=23)).arrived_at == NOW
    history = History("triage", Failure.OVERLOADED, "busy", 1, NOW, NOW, delivery().position)
    assert delivery(headers=history.to_headers()).arrived_at == NOW
