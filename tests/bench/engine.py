"""What a cheap stage costs: events per second, ours against the raw client, exactly once both, in one run.

    python -m tests.bench.engine [EVENTS]

Raw: consume a batch, produce the same bytes, send the offsets, commit; no look inside. Ours: decode, check, handle,
settle, encode, the same transaction. The last line is one JSON object.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from infra.local import start_parts
from shared.codec.avro import AvroCodec
from shared.core.delivery import Delivery
from shared.core.graph import Pipeline
from shared.core.settle import Place
from shared.kafka import properties
from shared.kafka.admin import TopicPlan, ensure, plan
from shared.kafka.subscription import Subscription
from shared.kafka.transactions import Transactor
from shared.runtime.encoding import Encoder
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.layers import Layers
from shared.runtime.runners import Inline, Tasks
from shared.runtime.shares import Shares
from tests.homes import temporary_home
from tests.pipeline.tiny.events import TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE, triage

BATCH = 5000


def fill(kafka: dict[str, Any], topic: str, codec: AvroCodec, count: int) -> None:
    """Write the events."""
    client = Producer(properties.producer(kafka) | {"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for number in range(count):
        event = TicketOpened(document_id=f"ticket-{number}", subject="a question about an order, " * 6)
        client.produce(topic, codec.encode(event), event.document_id)
        if number % 10_000 == 0:
            client.poll(0)
    client.flush(60)


def raw(kafka: dict[str, Any], source: str, target: str, count: int) -> float:
    """Events per second of the bare client."""
    client = Producer(properties.transactional(kafka, f"raw-{uuid.uuid4()}"))
    client.init_transactions(30)
    consumer = Consumer(
        properties.consumer(kafka, f"raw-{uuid.uuid4()}", "consumer") | {"auto.offset.reset": "earliest"}
    )
    consumer.subscribe([source])
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

    def took(self, deliveries: Sequence[Delivery]) -> None:
        """Note when the first came."""
        self.began = self.began or (time.perf_counter() if deliveries else 0.0)

    def committed(self, records: int, seconds: float) -> None:
        """Count down."""
        self._left -= records
        if self._left <= 0:
            self._loop.call_soon_threadsafe(self._ended.set)


async def ours(kafka: dict[str, Any], pipeline: Pipeline, codec: AvroCodec, count: int) -> float:
    """Events per second of the engine with a cheap handler."""
    ended, place, shares = asyncio.Event(), Place(pipeline, TRIAGE), Shares()
    counted = Counted(count, ended)
    quiet: Any = lambda *_: None  # noqa: E731
    layers = Layers(place, triage, codec, quiet, partial(datetime.now, UTC), quiet)
    encode = Encoder(place, codec, partial(datetime.now, UTC), quiet)
    policy = EnginePolicy()
    runner = Inline(shares, Tasks(quiet), layers.cheap, encode)
    transactor = Transactor(properties.transactional(kafka, f"ours-{uuid.uuid4()}"), print)
    engine = Engine(policy, shares, transactor, runner, counted)
    consuming = properties.consumer(kafka, f"{pipeline.name}.triage", "consumer")
    threads = engine.start(lambda owner: Subscription(consuming, [pipeline.topics(TRIAGE).input], owner), print)
    await ended.wait()
    rate = count / (time.perf_counter() - counted.began)
    engine.stop()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    return rate


def main(count: int) -> None:
    """Measure both twice, in turn."""
    codec = AvroCodec([TicketOpened, TicketTriaged])
    with temporary_home() as home:
        parts = start_parts(home, {"kafka"})
        try:
            kafka = {"bootstrap.servers": parts.endpoints.kafka}
            rates: dict[str, list[float]] = {"raw": [], "ours": []}
            for turn in range(2):
                pipeline = replace(TICKETS, name=f"bench_{turn}")
                ensure(kafka, [*plan(pipeline), TopicPlan(f"raw_{turn}", pipeline.partitions)])
                source = pipeline.topics(TRIAGE).input
                fill(kafka, source, codec, count)
                rates["raw"].append(raw(kafka, source, f"raw_{turn}", count))
                rates["ours"].append(asyncio.run(ours(kafka, pipeline, codec, count)))
                print(f"turn {turn + 1}: raw {rates['raw'][-1]:,.0f}/s, ours {rates['ours'][-1]:,.0f}/s", flush=True)
        finally:
            parts.stop()
    shares = [ours / raw for ours, raw in zip(rates["ours"], rates["raw"], strict=True)]
    print(json.dumps({"events": count, "raw_per_s": rates["raw"], "ours_per_s": rates["ours"], "ratio": shares}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
