"""What a record's way through the layers leaves behind: spans with the right parents, and ids in the log."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from shared.codec.avro import AvroCodec
from shared.core.context import Call, Context
from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Emit, Outcome, Retry, Review
from shared.core.reentry import Reentry
from shared.core.settle import Place
from shared.core.stage import Handler
from shared.core.trace import document_trace
from shared.observe.logs import configure, logger
from shared.observe.tracing import names
from shared.observe.tracing.calls import Asked, Told
from shared.observe.tracing.spans import Kind, Span, nanoseconds
from shared.observe.tracing.traces import Traces
from shared.ports import ReviewItem
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.share import Taken
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, owning, ticket

CODEC = AvroCodec((TicketOpened, TicketTriaged, TicketClosed))
TRIAGED = TicketTriaged(document_id="t1", subject="printer", urgent=False)
FIRST = document_trace("tickets", ticket())
CALL = Call("extraction", "gemini", "sim-large", "extract-fields@3", 120, 30, 0.0125, 40, "ok")
SECRET = "the printer of Ms Tern"


@dataclass
class World:
    """Layers of a stage, and the spans they gave."""

    spans: list[Span] = field(default_factory=list)
    sample: float = 1.0
    content: bool = False
    off: bool = False
    full: bool = False
    dropped: int = 0

    @property
    def traces(self) -> Traces:
        return Traces(None if self.off else self, sample=self.sample, content=self.content)

    def give(self, span: Span) -> None:
        self.spans.append(span)

    def drop(self, records: int) -> None:
        self.dropped += records

    def run(self, handler: Handler, record: Delivery | None = None) -> None:
        """One record through a slow handler."""
        asyncio.run(self.layers(handler).slow(taken(record)))

    def layers(self, handler: Handler, observe: Callable[..., None] = lambda *_: None) -> Layers:
        return Layers(Place(TICKETS, handler.stage), handler, CODEC, context, clock(), observe, self.traces)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def clock() -> Callable[[], datetime]:
    """Each look is a second later."""
    seconds = iter(range(1, 1000))
    return lambda: NOW + timedelta(seconds=next(seconds))


def context(_: Delivery, __: Any, ___: datetime) -> Context:
    return cast(Context, None)


def taken(record: Delivery | None = None) -> Taken:
    [one] = owning(0).take([delivery()])
    return replace(one, delivery=record or delivery(value=CODEC.encode(ticket())))


def giving(outcome: Outcome[TicketTriaged], *asked: Asked, traces: Traces | None = None) -> Handler:
    @TRIAGE
    async def handler(_: TicketOpened, __: Context) -> Outcome[TicketTriaged]:
        for one in asked:
            assert traces is not None
            traces.asked(one)
        return outcome

    return handler


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


def test_a_model_call_has_the_names_of_opentelemetry_and_those_that_langfuse_reads() -> None:
    world = World()
    asked = Asked(CALL, nanoseconds(NOW), server="models.test", most=900)
    world.run(giving(Emit(TRIAGED), asked, traces=world.traces))
    [call], [attempt] = world.named("chat sim-large"), world.named("triage attempt")
    assert (call.trace, call.parent, call.kind) == (FIRST.id, attempt.id, Kind.CLIENT)
    assert call.end - call.start == 40_000_000
    wanted = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "sim-large",
        "gen_ai.request.max_tokens": 900,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "sim-large",
        "langfuse.observation.prompt.name": "extract-fields",
        "langfuse.observation.prompt.version": 3,
        "langfuse.trace.name": "tickets",
        "session.id": "t1",
        "server.address": "models.test",
    }
    assert {name: call.attributes.get(name) for name in wanted} == wanted
    assert json.loads(call.attributes["langfuse.observation.usage_details"]) == {"input": 120, "output": 30}
    assert json.loads(call.attributes["langfuse.observation.cost_details"]) == {"total": 0.0125}


def test_a_found_result_is_no_generation_and_costs_nothing_twice() -> None:
    world = World()
    world.run(giving(Emit(TRIAGED), Asked(replace(CALL, outcome="reused"), 5_000), traces=world.traces))
    [call] = world.named("chat sim-large")
    assert (call.start, call.end, call.attributes[names.KIND], call.error) == (5_000, 5_000, "span", "")
    assert not {names.COST, names.COSTS, names.INPUT_TOKENS, names.USAGE} & call.attributes.keys()


@pytest.mark.parametrize(
    ("outcome", "level", "reasons"), [("truncated", "WARNING", ("length",)), ("timeout", "ERROR", None)]
)
def test_a_failed_call_says_how_it_failed(outcome: str, level: str, reasons: tuple[str] | None) -> None:
    world = World()
    world.run(giving(Emit(TRIAGED), Asked(replace(CALL, outcome=outcome), 0), traces=world.traces))
    [call] = world.named("chat sim-large")
    assert (call.error, call.attributes[names.LEVEL]) == (outcome, level)
    assert call.attributes.get(names.FINISH_REASONS) == reasons


def test_texts_are_told_only_where_that_is_wanted() -> None:
    quiet, open_ = World(), World(content=True)
    for world, told in ((quiet, None), (open_, Told("be brief", SECRET, SECRET))):
        asked = Asked(CALL, 0, told=told)
        world.run(giving(Review(SECRET, TRIAGED), asked, traces=world.traces))
        world.run(giving(DeadLetter(Failure.CORRUPT, SECRET)), delivery(1, value=CODEC.encode(ticket(SECRET))))
    assert SECRET not in repr(quiet.spans)
    call = open_.named("chat sim-large")[0].attributes
    assert SECRET in call[names.INPUT_MESSAGES]
    assert SECRET in call[names.OUTPUT]
    assert open_.named("triage")[-1].attributes[names.MESSAGE] == SECRET


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
    layers = World(off=off).layers(talking, observe=lambda *_: log.warning("dead letter"))
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
