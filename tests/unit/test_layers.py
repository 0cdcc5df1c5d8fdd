"""Whatever a record, a handler or an edge does becomes an outcome; only what is our own fault ends the service."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from shared.codec.avro import AvroCodec
from shared.core.context import Context
from shared.core.delivery import Delivery
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.failures import REMEDIES, Failure, Remedy
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, Pipeline, edge, on_failure
from shared.core.headers import history_of
from shared.core.outcome import DeadLetter, Emit, Outcome, Park, Retry
from shared.core.remedies import MENDED_ELSEWHERE
from shared.core.settle import Place, Settled
from shared.core.stage import Handler
from shared.kafka.properties import MESSAGE_BYTES
from shared.ports import Codec
from shared.runtime.flow.encoding import Encoder
from shared.runtime.flow.layers import SCHEMA_PATIENCE, Layers, outcome_of
from shared.runtime.flow.share import Taken
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, delivery, owning, ticket

CODEC = AvroCodec((TicketOpened, TicketTriaged, TicketClosed))
TRIAGED = TicketTriaged(document_id="t1", subject="printer", urgent=False)


@dataclass
class Seen:
    """Layers around a handler, and the outcomes they told of."""

    outcomes: list[Outcome[Any]] = field(default_factory=list)

    def around(
        self, handler: Handler, *, pipeline: Pipeline = TICKETS, now: datetime = NOW, codec: Codec = CODEC
    ) -> Layers:
        return Layers(Place(pipeline, TRIAGE), handler, codec, context, lambda: now, self.observe)

    def observe(
        self, _: Delivery, outcome: Outcome[Any], __: float, document_type: str = "", *, final: bool = False
    ) -> None:
        self.outcomes.append(outcome)


def context(_: Delivery, __: Any, ___: datetime) -> Context:
    return cast(Context, None)


def taken(record: Delivery | None = None) -> Taken:
    [one] = owning(0).take([record or delivery(value=CODEC.encode(ticket()))])
    return one


def raising(error: BaseException) -> Handler:
    @TRIAGE
    def handler(found: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        raise error

    return handler


def returning(outcome: Any) -> Handler:
    @TRIAGE
    def handler(found: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        return cast(Outcome[TicketTriaged], outcome)

    return handler


def decided(handler: Handler, record: Delivery | None = None, **more: Any) -> tuple[Settled, Outcome[Any]]:
    seen = Seen()
    return seen.around(handler, **more).cheap(taken(record)), seen.outcomes[0]


def test_what_a_handler_returns_is_settled_and_told() -> None:
    settled, outcome = decided(returning(Emit(TRIAGED)))
    assert outcome == Emit(TRIAGED)
    assert settled.writes[0].topic == "tickets.close"


@pytest.mark.parametrize("failure", list(Failure))
def test_a_failure_becomes_the_outcome_of_its_remedy(failure: Failure) -> None:
    outcome = outcome_of(Failed(failure, "why", after=3.0))
    remedy = Remedy.RETRY if failure in MENDED_ELSEWHERE else REMEDIES[failure]
    kind = {Remedy.RETRY: Retry, Remedy.PARK: Park}.get(remedy, DeadLetter)
    assert isinstance(outcome, kind)
    assert getattr(outcome, "message", "") == "why"


def test_a_dependency_that_is_away_parks_for_as_long_as_it_says() -> None:
    assert outcome_of(Unavailable("database", "down", after=7.0)) == Park("database", "down", 7.0)


def test_an_error_nobody_thought_of_is_tried_again_under_its_name() -> None:
    assert outcome_of(ZeroDivisionError("by zero")) == Retry(Failure.INTERNAL, "ZeroDivisionError: by zero")


@pytest.mark.parametrize("error", [Misconfigured("no model"), KeyboardInterrupt()])
def test_what_is_no_documents_fault_ends_the_service(error: BaseException) -> None:
    with pytest.raises(type(error)):
        decided(raising(error))


async def test_a_cancellation_from_within_is_a_failure_of_the_record() -> None:
    @TRIAGE
    async def handler(found: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        raise asyncio.CancelledError

    seen = Seen()
    await seen.around(handler).slow(taken())
    assert isinstance(seen.outcomes[0], Retry)


async def test_a_cancellation_of_the_service_goes_through() -> None:
    begun = asyncio.Event()

    @TRIAGE
    async def handler(found: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        begun.set()
        await asyncio.Event().wait()
        return Emit()

    task = asyncio.ensure_future(Seen().around(handler).slow(taken()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_handler_that_forgets_to_answer_makes_a_dead_letter_that_says_so() -> None:
    settled, outcome = decided(returning(None))
    assert isinstance(outcome, DeadLetter)
    assert "the handler of triage returned NoneType" in outcome.message
    assert settled.writes[0].topic == "tickets.triage.dlq"


def test_a_condition_that_fails_on_a_document_is_a_failure_of_that_document() -> None:
    def broken(_: TicketTriaged) -> bool:
        raise KeyError("track")

    pipeline = Pipeline(
        "broken", flow=(edge(TRIAGE, RESULTS, when=broken),), failures=(on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),)
    )
    settled, outcome = decided(returning(Emit(TRIAGED)), pipeline=pipeline)
    assert outcome == Retry(Failure.INTERNAL, "KeyError: 'track'")
    assert settled.writes[0].topic == "broken.triage.retry.5s"


@pytest.mark.parametrize(
    ("record", "failure", "said"),
    [
        (delivery(value=None), Failure.INVALID_EVENT, "a tombstone is no document"),
        (delivery(value=b""), Failure.UNDECODABLE, "begins with nothing"),
        (delivery(value=b'{"document_id": "t1"}'), Failure.UNDECODABLE, "7b 22 64 6f"),
        (delivery(value=CODEC.encode(TRIAGED)), Failure.INVALID_EVENT, "TicketOpened is expected"),
        (delivery(value=CODEC.encode(ticket("s", "")), key=b""), Failure.INVALID_EVENT, "document_id is empty"),
        (delivery(value=CODEC.encode(ticket()), key=None), Failure.INVALID_EVENT, "no key"),
        (delivery(value=CODEC.encode(ticket()), key=b"\xff"), Failure.INVALID_EVENT, "the key b'\\xff'"),
    ],
)
def test_a_record_that_is_no_event_never_reaches_the_handler(record: Delivery, failure: Failure, said: str) -> None:
    settled, outcome = decided(raising(AssertionError("reached")), record)
    assert isinstance(outcome, DeadLetter)
    assert outcome.failure is failure
    assert said in outcome.message
    assert settled.writes[0].value == record.value
    assert settled.writes[0].topic == "tickets.triage.dlq"


@pytest.mark.parametrize(
    ("waited", "held"), [(timedelta(0), True), (SCHEMA_PATIENCE - timedelta(seconds=1), True), (SCHEMA_PATIENCE, False)]
)
def test_an_unknown_schema_is_waited_for_and_then_a_dead_letter(waited: timedelta, held: bool) -> None:
    stranger = delivery(value=b"\xc3\x01" + bytes(8) + b"body")
    settled, outcome = decided(raising(AssertionError("reached")), stranger, now=NOW + waited)
    assert (settled.hold is not None) == held
    if not held:
        assert isinstance(outcome, DeadLetter)
        assert outcome.failure is Failure.UNKNOWN_SCHEMA


def test_a_condemned_record_is_a_dead_letter_with_its_bytes_and_is_not_run() -> None:
    handler = raising(AssertionError("it was run"))
    seen = Seen()
    guilty = replace(taken(), verdict="it kills")
    settled = seen.around(handler).cheap(guilty)
    assert seen.outcomes == [DeadLetter(Failure.CRASHES_WORKER, "it kills")]
    assert [write.value for write in settled.writes] == [guilty.delivery.value]
    assert settled.writes[0].topic == "tickets.triage.dlq"


def batching(answer: Callable[[Sequence[TicketOpened]], Any]) -> Handler:
    @TRIAGE.batch
    async def handler(found: Sequence[TicketOpened], ctx: Context) -> Sequence[Outcome[TicketTriaged]]:
        return cast(Sequence[Outcome[TicketTriaged]], answer(found))

    return handler


def mixed() -> list[Taken]:
    values = [CODEC.encode(ticket("a")), b"garbage", CODEC.encode(ticket("b"))]
    return owning(0).take(delivery(offset, value=value) for offset, value in enumerate(values))


async def test_a_batch_handler_gets_what_can_be_decoded_and_each_its_own_outcome() -> None:
    seen = Seen()
    handler = batching(lambda found: [Retry(Failure.TIMEOUT, ticket.subject) for ticket in found])
    settled = await seen.around(handler).batch(mixed())
    assert [one.failure for one in settled] == [Failure.TIMEOUT, Failure.UNDECODABLE, Failure.TIMEOUT]
    assert seen.outcomes[0] == Retry(Failure.TIMEOUT, "a")
    assert seen.outcomes[2] == Retry(Failure.TIMEOUT, "b")


async def test_an_error_of_a_batch_as_a_whole_is_everybodys_outcome() -> None:
    def away(_: object) -> Any:
        raise Unavailable("database", "down", after=2.0)

    settled = await Seen().around(batching(away)).batch(mixed())
    assert [one.hold for one in settled] == [2.0, None, 2.0]


async def test_a_batch_handler_that_miscounts_is_told_what_to_mend() -> None:
    with pytest.raises(Misconfigured, match="gave 1 outcomes for 2 events: give one for each"):
        await Seen().around(batching(lambda _: [Emit()])).batch(mixed())


async def test_a_batch_without_one_good_record_does_not_call_the_handler() -> None:
    def reached(_: object) -> Any:
        raise AssertionError("reached")

    settled = await Seen().around(batching(reached)).batch(mixed()[1:2])
    assert [one.failure for one in settled] == [Failure.UNDECODABLE]


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        (TicketTriaged(document_id="t1", subject="x" * MESSAGE_BYTES, urgent=False), Failure.TOO_LARGE),
        (TicketTriaged(document_id="t1", subject=cast(str, None), urgent=False), Failure.INTERNAL),
        (TicketTriaged(document_id="t1", subject="\ud800", urgent=False), Failure.INTERNAL),
    ],
)
def test_an_event_that_cannot_be_written_is_a_dead_letter_that_can(event: TicketTriaged, failure: Failure) -> None:
    seen, record = Seen(), taken()
    settled = seen.around(returning(Emit(event))).cheap(record)
    [written] = Encoder(Place(TICKETS, TRIAGE), CODEC, lambda: NOW, seen.observe)(record, settled)
    assert (written.topic, written.key, written.value) == ("tickets.triage.dlq", b"t1", record.delivery.value)
    history = history_of(tuple(written.headers))
    assert history is not None
    assert history.failure is failure
    assert isinstance(seen.outcomes[-1], DeadLetter)


def test_what_can_be_written_is_written_as_decided() -> None:
    seen, record = Seen(), taken()
    settled = seen.around(returning(Emit(TRIAGED))).cheap(record)
    [written] = Encoder(Place(TICKETS, TRIAGE), CODEC, lambda: NOW, seen.observe)(record, settled)
    assert written.topic == "tickets.close"
    assert CODEC.decode(written.value or b"", (TicketTriaged,)).subject == "printer"
