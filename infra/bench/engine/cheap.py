"""What a cheap stage costs: events per second against the raw client, and exactly once against at least once.

    raw             consume a batch, produce the same bytes, send the offsets, commit; no look inside
    exactly once    the engine: decode, check, handle, settle, encode, the same transaction
    at least once   the engine with everything but the transaction: produce, flush, then commit the offsets

All in this process and in turn, so that what else the machine does hits all alike.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from infra.bench.bench import Bench
from infra.bench.figures import Figures
from infra.bench.sample.events import Job, JobDone
from infra.bench.sample.pipeline import STAMP, stamp
from shared.codec.avro import AvroCodec
from shared.core.delivery import Delivery
from shared.core.graph import Pipeline
from shared.core.settle import Place
from shared.kafka import properties
from shared.kafka.admin import TopicPlan, ensure
from shared.kafka.subscription import Subscription
from shared.kafka.transactions import Transactor
from shared.kafka_port import Group, Offset, Owner, Record
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.encoding import Encoder
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.runners import Inline, Tasks
from shared.runtime.flow.shares import Shares

BATCH = 5000
RAW = {"auto.offset.reset": "earliest", "enable.partition.eof": False}
"""What the raw consumer is told beside what a stage's is."""


def cheap_stage(bench: Bench) -> Figures:
    """The engine's rate over the raw client's, exactly once both."""
    rates = in_turn(bench, {"raw": raw, "exactly once": exactly_once})
    shares = [ours / bare for ours, bare in zip(rates["exactly once"], rates["raw"], strict=True)]
    return {
        "cheap_stage_of_raw": median(shares),
        "cheap_stage_per_s": median(rates["exactly once"]),
        "raw_client_per_s": median(rates["raw"]),
    }


def exactly_once_cost(bench: Bench) -> Figures:
    """How many times as long the same work takes exactly once as it takes at least once."""
    rates = in_turn(bench, {"at least once": at_least_once, "exactly once": exactly_once})
    ratios = [least / once for least, once in zip(rates["at least once"], rates["exactly once"], strict=True)]
    return {"exactly_once_cost": median(ratios), "at_least_once_per_s": median(rates["at least once"])}


Way = Callable[[dict[str, Any], Pipeline, int], float]
"""Works a topic off; gives events per second."""


def in_turn(bench: Bench, ways: dict[str, Way]) -> dict[str, list[float]]:
    """Work the same documents off in each of the ways, several times in turn."""
    count, turns = (10_000, 1) if bench.small else (100_000, 3)
    kafka = {"bootstrap.servers": bench.kafka, "log_level": 0}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        for name, way in ways.items():
            pipeline = bench.topics_for(STAMP)
            fill(kafka, pipeline.topics(STAMP).input, count)
            rates[name].append(way(kafka, pipeline, count))
            bench.say(f"cheap stage, {name}, turn {turn + 1} of {turns}: {rates[name][-1]:,.0f} documents/s")
    return rates


def fill(kafka: dict[str, Any], topic: str, count: int) -> None:
    """Write the documents."""
    codec = AvroCodec([Job])
    client = Producer(properties.producer(kafka) | {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for number in range(count):
        job = Job(document_id=f"d{number}", padding=b"a question about an order, " * 6)
        client.produce(topic, codec.encode(job), job.document_id)
        if number % 10_000 == 0:
            client.poll(0)
    client.flush(60)


def raw(kafka: dict[str, Any], pipeline: Pipeline, count: int) -> float:
    """The bare client."""
    target = f"raw_{uuid.uuid4().hex[:8]}"
    ensure(kafka, [TopicPlan(target, pipeline.partitions)])
    client = Producer(properties.transactional(kafka, target))
    client.init_transactions(30)
    consumer = Consumer(properties.consumer(kafka, target, "consumer") | RAW)
    consumer.subscribe([pipeline.topics(STAMP).input])
    done, began = 0, 0.0
    while done < count:
        batch = consumer.consume(BATCH, 0.1)
        began = began or (time.perf_counter() if batch else 0.0)
        if not batch:
            continue
        client.begin_transaction()
        client.produce_batch(target, [{"value": one.value(), "key": one.key()} for one in batch])
        places = consumer.position(consumer.assignment())
        reached = [place for place in places if isinstance(place, TopicPartition) and place.offset >= 0]
        client.send_offsets_to_transaction(reached, consumer.consumer_group_metadata())
        client.commit_transaction()
        done += len(batch)
    consumer.close()
    return done / (time.perf_counter() - began)


class Counted:
    """Counts what was committed, and says when all is."""

    def __init__(self, count: int, ended: asyncio.Event) -> None:
        self._left, self._ended, self._loop = count, ended, asyncio.get_running_loop()
        self.began = 0.0
        """When the first record came."""

    def took(self, deliveries: Sequence[Delivery]) -> None:
        """Note when the first came."""
        self.began = self.began or (time.perf_counter() if deliveries else 0.0)

    def committed(self, records: int, seconds: float) -> None:
        """Count down."""
        self._left -= records
        if self._left <= 0:
            self._loop.call_soon_threadsafe(self._ended.set)


class AtLeastOnce:
    """Stands where the engine expects its transactor: outputs first, progress after them, nothing around both."""

    since: float | None = None

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self.reached: dict[tuple[str, int], TopicPartition] = {}
        """Progress whose outputs are written; committed by the polling thread, see `Committing`."""

    def open(self) -> None:
        """Connect."""
        self._producer = Producer(self._settings)

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """Write the records, wait until all are there, have the offsets committed."""
        for record in records:
            self._producer.produce(record.topic, record.value, record.key)
        self._producer.flush(30)
        for place in offsets:
            self.reached[place.topic, place.partition] = TopicPartition(
                place.topic, place.partition, place.offset, place.metadata
            )
        return frozenset(offsets)


class Committing(Subscription):
    """A subscription that commits what has been reached before it polls on.

    Committed on the other thread while `consume` runs here, both calls wait for each other for ever (seen).
    """

    def __init__(self, settings: dict[str, Any], topics: Sequence[str], owner: Owner, ways: AtLeastOnce) -> None:
        super().__init__(settings, topics, owner)
        self._ways = ways

    def poll(self, most: int, seconds: float) -> list[Delivery]:
        """See `Subscription.poll`."""
        if self._ways.reached:
            reached, self._ways.reached = self._ways.reached, {}
            self.consumer.commit(offsets=list(reached.values()), asynchronous=True)
        return super().poll(most, seconds)


def exactly_once(kafka: dict[str, Any], pipeline: Pipeline, count: int) -> float:
    """The engine as it is."""
    transactor = Transactor(properties.transactional(kafka, pipeline.name), print)
    return asyncio.run(engine(pipeline, transactor, partial(Subscription, *consuming(kafka, pipeline)), count))


def at_least_once(kafka: dict[str, Any], pipeline: Pipeline, count: int) -> float:
    """The engine without its transactions."""
    ways = AtLeastOnce(properties.producer(kafka))
    subscribe = partial(Committing, *consuming(kafka, pipeline), ways=ways)
    return asyncio.run(engine(pipeline, ways, subscribe, count))


def consuming(kafka: dict[str, Any], pipeline: Pipeline) -> tuple[dict[str, Any], list[str]]:
    """What a subscription is told: its properties and topics."""
    return properties.consumer(kafka, f"{pipeline.name}.stamp", "consumer"), [pipeline.topics(STAMP).input]


async def engine(pipeline: Pipeline, transactor: Any, subscribe: Callable[..., Subscription], count: int) -> float:
    """Run the engine with a cheap handler until all is committed."""
    ended, place, shares = asyncio.Event(), Place(pipeline, STAMP), Shares()
    counted, codec = Counted(count, ended), AvroCodec([Job, JobDone])
    quiet: Any = lambda *_, **__: None  # noqa: E731
    now = partial(datetime.now, UTC)
    layers, encode = Layers(place, stamp, codec, quiet, now, quiet), Encoder(place, codec, now, quiet)
    admission = Admission(place, shares, encode, now, lambda desk: Inline(desk, shares, Tasks(quiet), layers.cheap))
    running = Engine(EnginePolicy(), shares, transactor, admission, counted)
    failed = asyncio.get_running_loop().create_future()
    threads = running.start(lambda owner: subscribe(owner=owner), failed.set_exception)
    done = asyncio.ensure_future(ended.wait())
    await asyncio.wait((done, failed), return_when=asyncio.FIRST_COMPLETED)
    rate = count / (time.perf_counter() - counted.began)
    running.stop()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    done.cancel()
    if failed.done():
        failed.result()
    return rate
