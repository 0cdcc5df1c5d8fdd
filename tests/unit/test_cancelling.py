"""An engine in memory whose documents are cancelled: before they begin, in the middle of a call, while they wait."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from schemas.events import DocumentResult, DocumentSubmitted, TextExtracted
from shared.codec.avro import AvroCodec
from shared.core.cancellation import Cancellation
from shared.core.context import Context
from shared.core.delivery import Delivery
from shared.core.errors import Unavailable
from shared.core.headers import WAITS_FOR
from shared.core.ledger import Scope, State
from shared.core.outcome import Emit, Outcome
from shared.core.settle import Place
from shared.kafka_port import Record
from shared.memory.kafka import MemoryKafka, MemoryTransactions
from shared.memory.kafka_member import MemoryMember
from shared.memory.ledger import MemoryLedger
from shared.memory.log import MemoryLog
from shared.pipelines.documents import DOCUMENTS, EXTRACT
from shared.runtime.assembly import Runners, utc_now
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.cancelling import Cancelling
from shared.runtime.flow.encoding import Encoder
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.runners import Tasks
from shared.runtime.flow.shares import Shares
from shared.runtime.flow.slots import Slots
from shared.runtime.following import following
from shared.runtime.paying.once import once
from tests.unit.test_cancellation import of_batch, of_document, submitted

CODEC = AvroCodec((DocumentSubmitted, TextExtracted, DocumentResult))
TOPICS = DOCUMENTS.topics(EXTRACT)
RESULTS, WORDS = "documents.results", "documents.cancelled"
NOWHERE = Scope("documents", "extract", "default", "", "")


class Process:
    """A stage whose handler makes a paid call that takes for ever, unless the document is `quick`, or waits."""

    def __init__(self, kafka: MemoryKafka, name: str, ledger: MemoryLedger | None = None) -> None:
        self.kafka, self.ledger = kafka, ledger or MemoryLedger()
        self.calls: list[str] = []
        self.aborted: list[str] = []
        self.errors: list[BaseException] = []
        self.stubborn = False

        @EXTRACT
        async def extract(document: DocumentSubmitted, ctx: Context) -> Outcome[TextExtracted]:
            if document.content == b"waits":
                raise Unavailable("model:sim", "away", after=3600)
            if document.content != b"quick":
                await once(self.ledger, NOWHERE, b"", document.document_id, partial(self.call, document), None)
            return Emit()

        place, self.shares = Place(DOCUMENTS, EXTRACT), Shares(topics=TOPICS)
        self.cancelling = Cancelling()
        layers = Layers(place, extract, CODEC, context, utc_now, lambda *_, **__: None, self.cancelling)
        runners = Runners(extract, layers, self.shares, Tasks(self.errors.append), EnginePolicy(), Slots(8))
        encoder = Encoder(place, CODEC, utc_now, lambda *_: None)
        admission = Admission(place, self.shares, encoder, utc_now, runners.make)
        self.cancelling.recall = partial(admission.recall, layers.cancels)
        policy = EnginePolicy(drain_seconds=0, idle_poll_seconds=0.005)
        self.engine = Engine(policy, self.shares, MemoryTransactions(kafka, name), admission, self)

    async def call(self, document: DocumentSubmitted) -> str:
        self.calls.append(document.document_id)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.aborted.append(document.document_id)
            if not self.stubborn:
                raise
            self.stubborn = False
        await asyncio.Event().wait()
        return ""

    def took(self, deliveries: Sequence[Delivery]) -> None: ...

    def committed(self, records: int, seconds: float) -> None: ...

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Process"]:
        async with following(MemoryLog(self.kafka, WORDS), self.cancelling.told) as ear:
            await ear.whole()
            threads = self.engine.start(
                lambda owner: MemoryMember(self.kafka, "g", TOPICS.consumed, owner), self.errors.append
            )
            yield self
            self.engine.stop()
            for thread in threads:
                await asyncio.to_thread(thread.join)
        assert not self.errors

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  threads set what is looked at
                await asyncio.sleep(0.002)


def context(*_: Any) -> Any:
    return None


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka(dict.fromkeys((*TOPICS.consumed, RESULTS, WORDS, "documents.classify", TOPICS.dead), 1))


def publish(kafka: MemoryKafka, *documents: DocumentSubmitted, topic: str = TOPICS.input, **more: Any) -> None:
    for one in documents:
        kafka.publish(Record(topic, one.document_id.encode(), CODEC.encode(one), more.get("headers", ()), None))


def say(kafka: MemoryKafka, *words: Cancellation) -> None:
    kafka.publish(*(Record(WORDS, word.key, word.to_json(), (), None) for word in words))


def ends(kafka: MemoryKafka) -> list[tuple[str, int, str]]:
    found = [CODEC.decode(one.value or b"", (DocumentResult,)) for one in kafka.read(RESULTS)]
    return [(one.document_id, one.version, one.state) for one in found]


def done(kafka: MemoryKafka) -> int:
    offset = kafka.groups["g"].committed.get((TOPICS.input, 0))
    return offset.offset if offset else 0


async def test_an_open_call_is_aborted_and_its_document_ends_in_one_transaction(kafka: MemoryKafka) -> None:
    publish(kafka, submitted("a", batch_id="b1"), submitted("b", batch_id="b1"), submitted("c"))
    async with Process(kafka, "one").running() as process:
        await process.until(lambda: len(process.calls) == 3)
        say(kafka, of_batch("b1"))
        await process.until(lambda: len(ends(kafka)) == 2)
        assert sorted(ends(kafka)) == [("a", 1, "cancelled"), ("b", 1, "cancelled")]
        assert sorted(process.aborted) == ["a", "b"], "the call of c goes on"
        assert done(kafka) == 2, "the progress went with the ends"
        rows = process.ledger.rows.values()
        assert {row.record.state for row in rows} == {State.INTENT}, "nobody can tell what was billed"
        result = CODEC.decode(kafka.read(RESULTS)[0].value or b"", (DocumentResult,))
        assert result.reason == "wrong customer (cancelled by ada)"


async def test_what_was_cancelled_before_the_process_came_is_never_begun(kafka: MemoryKafka) -> None:
    publish(kafka, submitted("a"), submitted("b"))
    say(kafka, of_document("a"))
    async with Process(kafka, "one").running() as process:
        await process.until(lambda: process.calls == ["b"] and ends(kafka))
    assert ends(kafka) == [("a", 1, "cancelled")]
    assert process.calls == ["b"]


async def test_a_newer_version_flows_behind_a_cancelled_one(kafka: MemoryKafka) -> None:
    publish(kafka, submitted("a", version=1), submitted("a", version=2))
    async with Process(kafka, "one").running() as process:
        await process.until(lambda: process.calls == ["a"])
        say(kafka, of_document("a", version=1))
        await process.until(lambda: process.calls == ["a", "a"])
        assert ends(kafka) == [("a", 1, "cancelled")]
        say(kafka, of_document("a", version=2))
        await process.until(lambda: len(ends(kafka)) == 2)
    assert ends(kafka) == [("a", 1, "cancelled"), ("a", 2, "cancelled")]


async def test_a_handler_that_goes_on_regardless_is_told_again(kafka: MemoryKafka) -> None:
    publish(kafka, submitted("a"))
    async with Process(kafka, "one").running() as process:
        process.stubborn = True
        await process.until(lambda: process.calls)
        say(kafka, of_document("a"))
        await process.until(lambda: ends(kafka))
    assert ends(kafka) == [("a", 1, "cancelled")]


async def test_what_waits_for_a_dependency_or_for_its_time_ends_at_once(kafka: MemoryKafka) -> None:
    waiting = DocumentSubmitted(document_id="w", content=b"waits", submitted_at=submitted().submitted_at)
    parked = DocumentSubmitted(document_id="p", content=b"waits", submitted_at=submitted().submitted_at)
    publish(kafka, waiting)
    publish(kafka, parked, topic=TOPICS.parked, headers=((WAITS_FOR, b"model:sim"),))
    # Records of this Kafka are as old as time: one of a far future is not due for long.
    with kafka.changed:
        publish(kafka, submitted("r"), topic=TOPICS.retries[-1])
        log = kafka.log[TOPICS.retries[-1], 0]
        [(record, transaction)] = log
        late = Delivery(record.position, record.key, record.value, record.headers, datetime.max.replace(tzinfo=UTC))
        log[0] = late, transaction
    async with Process(kafka, "one").running() as process:
        await process.until(lambda: process.shares.standing().waiting == 3)
        assert not process.calls
        say(kafka, of_document("w"), of_document("p"), of_document("r"))
        await process.until(lambda: len(ends(kafka)) == 3)
        assert process.shares.standing().waiting == 0
    assert sorted(ends(kafka)) == [(name, 1, "cancelled") for name in "prw"]
    assert not process.calls


async def test_a_process_that_takes_over_in_the_middle_pays_nothing_more_and_ends_it_once(kafka: MemoryKafka) -> None:
    publish(kafka, submitted("a"), submitted("b"))
    first = Process(kafka, "one")
    async with first.running():
        await first.until(lambda: len(first.calls) == 2)
    # Its calls were open when it ended: nothing of them is committed.
    say(kafka, of_document("a"))
    async with Process(kafka, "one", first.ledger).running() as second:
        await second.until(lambda: ends(kafka) and second.calls)
    assert second.calls == ["b"]
    assert ends(kafka) == [("a", 1, "cancelled")]
