"""Writes single events from outside a transaction, and returns when Kafka has them for good."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from shared.core.errors import Failed, Unavailable
from shared.core.event import Event
from shared.core.failures import Failure
from shared.kafka.properties import MESSAGE_BYTES, producer
from shared.ports import Codec


class KafkaPublisher:
    """An idempotent producer behind `await`; open it with `async with`."""

    def __init__(self, kafka: Mapping[str, Any], codec: Codec) -> None:
        self._properties = producer(kafka)
        self._codec = codec
        self._ended = threading.Event()

    async def __aenter__(self) -> "KafkaPublisher":
        self._producer = Producer(self._properties)
        # Delivery reports come out of poll(), and somebody has to call it while the loop does other things.
        self._thread = threading.Thread(target=self._serve, name="publisher", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._producer.flush, 10)

    async def publish(self, topic: str, event: Event) -> None:
        """Return when Kafka has it on all replicas. Raises Unavailable, or Failed(too_large)."""
        value = self._codec.encode(event)
        if len(value) > MESSAGE_BYTES:
            raise Failed(
                Failure.TOO_LARGE, f"{event.document_id}: {len(value):,} bytes, a record takes {MESSAGE_BYTES:,}"
            )
        loop = asyncio.get_running_loop()
        delivered: asyncio.Future[None] = loop.create_future()

        def report(error: KafkaError | None, _: object) -> None:
            loop.call_soon_threadsafe(_resolve, delivered, error)

        while True:
            try:
                self._producer.produce(topic, value=value, key=event.document_id.encode(), on_delivery=report)
                break
            except BufferError:
                await asyncio.sleep(0.01)
            except KafkaException as error:
                raise Unavailable("kafka", f"{topic}: {error.args[0].str()}") from error
        await delivered

    def _serve(self) -> None:
        while not self._ended.is_set():
            self._producer.poll(0.1)


def _resolve(delivered: "asyncio.Future[None]", error: KafkaError | None) -> None:
    if delivered.done():
        return
    if error is None:
        delivered.set_result(None)
    else:
        delivered.set_exception(Unavailable("kafka", f"not delivered: {error.str()}"))
