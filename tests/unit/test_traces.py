"""What a record's way through the layers leaves behind: spans with the right parents, and ids in the log."""

import asyncio
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.context import Context
from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.core.failures import Failure
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Retry
from shared.core.reentry import Reentry
from shared.core.settle import Place, Settled, Write
from shared.core.trace import document_trace
from shared.kafka.properties import MESSAGE_BYTES
from shared.observe.logs import configure, logger
from shared.observe.tracing import names
from shared.observe.tracing.calls import Asked
from shared.observe.tracing.spans import Kind, nanoseconds
from shared.ports import ReviewItem
from shared.runtime.flow.encoding import Encoder
from shared.runtime.tracing import unwritable
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, ticket
from tests.unit.spans import CALL, CODEC, FIRST, SECRET, TRIAGED, World, giving, taken


def retried(attempts: int, **headers: Any) -> Delivery:
    """The record after so many failed attempts."""
    world, record = World(), delivery(value=CODEC.encode(ticket()), **headers)
    for _ in range(attempts):
        layers = world.layers(giving(Retry(Failure.OVERLOADED, "busy")))
        [write] = asyncio.run(layers.slow(taken(record))).writes
        record = replace(record, position=replace(record.position, topic=write.topic), headers=write.headers)
        record = replace(record, appended_at=NOW + timedelta(minutes=1))
    return record


def test_an_attempt_stands_under_its_operation_and_that_under_the_document() -> None:
    world = World()
    world.run(giving(Emit(TRIAGED)))
    [attempt], [operation], [root] = map(world.named, ("triage attempt", "triage", "tickets document"))
    assert [span.trace for span in world.spans] == [FIRST.id] * 3
    assert (root.id, root.parent) == (FIRST.root, 0)
    assert (operation.parent, attempt.parent) == (root.id, operation.id)
    assert (root.start, root.end) == (nanoseconds(NOW), nanoseconds(NOW))
    assert operation.start <= attempt.start < attempt.end == operation.end
    assert (root.kind, operation.kind) == (Kind.PRODUCER, Kind.CONSUMER)
    assert operation.attributes[names.WRITTEN] == ("tickets.close",)
    assert operation.attributes[names.MESSAGING_TOPIC] == TOPIC
    assert {span.attributes[names.SESSION] for span in world.spans} == {"t1"}


def test_attempts_come_and_go_under_one_operation_that_ends_with_the_last() -> None:
    world = World()
    world.run(giving(Retry(Failure.OVERLOADED, "busy")))
    assert [span.name for span in world.spans] == ["triage attempt", "tickets document"]
    world.run(giving(DeadLetter(Failure.UNSUPPORTED, "spam")), retried(1))
    [operation] = world.named("triage")
    assert {span.parent for span in world.named("triage attempt")} == {operation.id}
    assert [span.attributes[names.ATTEMPT] for span in world.named("triage attempt")] == [1, 2]
    assert operation.start == nanoseconds(NOW), "an operation begins where its record first came, a minute before"
    assert (operation.error, operation.attributes[names.LEVEL]) == ("unsupported", "ERROR")
    assert len(world.named("tickets document")) == 1


def test_what_an_operator_cancelled_says_so_and_is_no_error() -> None:
    world = World()
    world.run(giving(Cancelled(TicketClosed(document_id="t1", answer="withdrawn"), "sent twice")))
    [operation] = world.named("triage")
    assert (operation.attributes[names.OUTCOME], operation.error) == ("cancelled", "")


def test_a_repeat_after_a_crash_gives_the_same_document_and_operation() -> None:
    one, other = World(), World()
    for world in (one, other):
        world.run(giving(Emit(TRIAGED)))
    for name, same in (("tickets document", True), ("triage", True), ("triage attempt", False)):
        assert (one.named(name)[0].id == other.named(name)[0].id) is same


def test_a_replay_is_a_trace_of_its_own_with_a_link_to_the_one_before() -> None:
    world = World()
    letter = delivery(3, topic="tickets.triage.dlq").position
    headers = Reentry(letter, "receipt-1").to_headers()
    world.run(giving(Emit(TRIAGED)), delivery(7, value=CODEC.encode(ticket()), headers=headers))
    [root], [operation] = world.named("tickets replay"), world.named("triage")
    assert (root.trace != FIRST.id, root.links) == (True, ((FIRST.id, FIRST.root),))
    assert (operation.trace, operation.parent) == (root.trace, root.id)
    assert root.attributes[names.REPLAYED] == str(letter)
    assert root.attributes[names.RECEIPT] == "receipt-1"


def test_the_senders_own_trace_is_a_link_of_the_document() -> None:
    world = World()
    parent = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    world.run(giving(Emit(TRIAGED)), delivery(value=CODEC.encode(ticket()), headers=(parent,)))
    [root] = world.named("tickets document")
    assert root.links == ((0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7),)
    assert root.trace == FIRST.id


def test_a_later_stage_tells_of_no_document_and_hangs_its_operation_to_the_same_root() -> None:
    world = World()

    @CLOSE
    async def close(_: TicketTriaged, __: Context) -> Outcome[TicketClosed]:
        return Emit(TicketClosed(document_id="t1", answer="in time"))

    world.run(close, delivery(value=CODEC.encode(TRIAGED), topic="tickets.close"))
    assert [span.name for span in world.spans] == ["close attempt", "close"]
    assert (world.spans[1].trace, world.spans[1].parent) == (FIRST.id, FIRST.root)


def test_what_cannot_be_decoded_is_told_all_the_same() -> None:
    world = World()
    world.run(giving(Emit(TRIAGED)), delivery(value=b"\x00raw"))
    assert [span.name for span in world.spans] == ["triage attempt", "tickets document", "triage"]
    assert world.spans[0].attributes[names.DOCUMENT] == "t1"
    assert world.spans[2].error == "undecodable"


def test_what_waits_for_a_dependency_is_told_only_where_it_made_calls() -> None:
    world = World()

    @TRIAGE
    async def away(_: TicketOpened, __: Context) -> Outcome[TicketTriaged]:
        if asking:
            world.traces.asked(Asked(replace(CALL, outcome="timeout"), nanoseconds(NOW)))
        raise Unavailable("model:large", "it is away")

    asking = False
    world.run(away)
    assert world.spans == []
    asking = True
    world.run(away)
    assert [span.name for span in world.spans] == ["chat sim-large", "triage attempt"]
    assert world.spans[0].parent == world.spans[1].id


def test_cheap_and_batch_handlers_give_the_same_spans() -> None:
    @TRIAGE
    def cheap(_: TicketOpened, __: Context) -> Outcome[TicketTriaged]:
        return Emit(TRIAGED)

    @TRIAGE.batch
    async def batch(tickets: Any, _: Context) -> Any:
        return [Emit(replace(TRIAGED, document_id=one.document_id)) for one in tickets]

    one, other = World(), World()
    one.layers(cheap).cheap(taken())
    two = [delivery(n, key=name.encode(), value=CODEC.encode(ticket(document_id=name))) for n, name in enumerate("ab")]
    asyncio.run(other.layers(batch).batch([taken(record) for record in two]))
    assert [span.name for span in one.spans] == ["triage attempt", "tickets document", "triage"]
    assert [span.name for span in other.spans] == [span.name for span in one.spans] * 2
    assert {span.trace for span in other.spans} == {
        document_trace("tickets", ticket(document_id=name)).id for name in "ab"
    }


def test_a_document_is_traced_whole_or_not_at_all_by_all_processes_alike() -> None:
    chosen = set()
    for number in range(200):
        world = World(sample=0.5)
        record = delivery(value=CODEC.encode(ticket(document_id=f"d{number}")), key=f"d{number}".encode())
        world.run(giving(Emit(replace(TRIAGED, document_id=f"d{number}"))), record)
        assert len(world.spans) in (0, 3)
        if world.spans:
            chosen.add(number)
    assert 70 < len(chosen) < 130


def test_what_cannot_be_written_is_told_as_the_dead_letter_that_it_became() -> None:
    world, place, seen = World(), Place(TICKETS, TRIAGE), []
    observe = unwritable(lambda *told: seen.append(told[1]), world.traces, place, CODEC)
    large = Write("tickets.close", b"t1", replace(TRIAGED, subject="x" * 2 * MESSAGE_BYTES))
    record = replace(taken(), delivery=delivery(value=CODEC.encode(ticket())))
    [written] = Encoder(place, CODEC, lambda: NOW, observe)(record, Settled((large,)))
    [operation] = world.named("triage")
    assert (written.topic, operation.error) == ("tickets.triage.dlq", "too_large")
    assert (len(seen), operation.trace, operation.parent) == (1, FIRST.id, FIRST.root)


def test_a_pipelines_own_code_that_fails_costs_the_trace_its_tenant_and_nothing_else() -> None:
    def nobody(_: Any) -> str:
        raise KeyError("tenant")

    world = World()
    layers = replace(world.layers(giving(Emit(TRIAGED))), place=Place(replace(TICKETS, tenant=nobody), TRIAGE))
    settled = asyncio.run(layers.slow(taken()))
    assert [write.topic for write in settled.writes] == ["tickets.close"]
    assert len(world.spans) == 3
    assert names.TENANT not in world.spans[0].attributes


def test_a_persons_decision_is_in_the_documents_trace() -> None:
    world = World()
    item = ReviewItem("tickets.review/0/4", "t1", "tickets", "triage", "low_confidence", SECRET, b"", NOW, "approve")
    world.traces.reviewed(Place(TICKETS, TRIAGE), TRIAGED, replace(item, decided_at=NOW + timedelta(hours=2)))
    [review] = world.spans
    assert (review.trace, review.parent) == (FIRST.id, FIRST.root)
    assert review.end - review.start == 7200 * 10**9
    assert review.attributes[names.DECISION] == "approve"
    assert SECRET not in repr(review)


@pytest.mark.parametrize("off", [True, False])
def test_the_log_names_document_and_trace_whether_or_not_spans_are_wanted(off: bool) -> None:
    stream, log = io.StringIO(), logger("handler")

    @TRIAGE
    async def talking(_: TicketOpened, __: Context) -> Outcome[TicketTriaged]:
        await asyncio.sleep(0)
        log.warning("look at this")
        return DeadLetter(Failure.CORRUPT, "it is torn")

    configure("triage", stream=stream)
    layers = World(off=off).layers(talking, observe=lambda *_, **__: log.warning("dead letter"))
    asyncio.run(layers.slow(taken()))
    log.warning("outside")
    inside, decided, outside = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in (inside, decided):
        assert (line["document_id"], line["trace_id"]) == ("t1", FIRST.text)
    assert "trace_id" not in outside


def test_where_there_is_no_room_nothing_is_even_made() -> None:
    world = World(full=True)
    world.run(giving(Emit(TRIAGED)))
    assert (world.spans, world.dropped) == ([], 1)
