"""A stage as a service: `serve(PIPELINE, handler)` is all that its `__main__` says.

settings -> schemas told -> ports opened -> engine started -> health served -> … -> drained -> closed
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette

from shared.codec.avro import AvroCodec
from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.event import Event
from shared.core.graph import Pipeline
from shared.core.settle import Place, Settled
from shared.core.stage import Handler, Style
from shared.kafka import properties
from shared.kafka.admin import ensure, plan
from shared.kafka.subscription import Subscription
from shared.kafka.transactions import Record, Transactor
from shared.observe.metrics import Metrics
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.health import Health, routes, serving
from shared.runtime.layers import Layers
from shared.runtime.process import Life, end_at_once, run
from shared.runtime.runners import Batches, Inline, Lanes, Runner, Tasks
from shared.runtime.schemas import Schemas, codec_for
from shared.runtime.shares import Shares, Taken
from shared.runtime.waiting import Waiting
from shared.runtime.world import HandlerContext, World, open_world

WATCH_SECONDS = 1.0


def serve(pipeline: Pipeline, handler: Handler) -> None:
    """Run the stage's service until it is told to end; exits the process."""
    run(handler.stage.name, partial(_stage, pipeline=pipeline, handler=handler))


async def _stage(life: Life, pipeline: Pipeline, handler: Handler) -> None:
    kafka = life.settings.kafka
    await asyncio.to_thread(ensure, kafka.properties(), plan(pipeline), replication=kafka.replication_factor)
    codec = codec_for(pipeline)
    schemas = Schemas(life.settings, codec)
    await schemas.tell(pipeline, handler.stage)
    metrics = Metrics(pipeline.name, handler.stage.name)
    async with AsyncExitStack() as stack:
        world = await open_world(stack, life, pipeline, handler)
        shares = Shares()
        engine = assemble(life, Place(pipeline, handler.stage), handler, codec, world, shares, metrics)
        threads = start(engine, life, pipeline, handler)
        look = partial(health, engine, shares, schemas, world)
        app = Starlette(routes=list(routes(look, metrics.exposition)))
        await stack.enter_async_context(serving(app, life.settings.health_port, life.settings.health_host))
        watchers = [asyncio.create_task(schemas.watch()), asyncio.create_task(watch(engine, life))]
        await life.ended.wait()
        engine.stop()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for watcher in watchers:
            watcher.cancel()


def assemble(
    life: Life, place: Place, handler: Handler, codec: AvroCodec, world: World, shares: Shares, metrics: Metrics
) -> Engine:
    """The engine of a stage, put together and not started."""

    def context(delivery: Delivery, now: datetime) -> HandlerContext:
        return HandlerContext(now, delivery.attempt, world)

    policy = EnginePolicy()
    layers = Layers(place, handler, codec, context, utc_now, metrics.observe)
    runner = runner_for(handler, layers, shares, Tasks(life.fail), partial(encoded, codec), policy)
    identity = topics.transactional_id(place.pipeline.name, place.stage.name, life.instance)
    producing = properties.transactional(life.settings.kafka.properties(), identity)
    return Engine(policy, shares, Transactor(producing, metrics.trouble), Waiting(place, runner, utc_now))


def runner_for(
    handler: Handler, layers: Layers, shares: Shares, tasks: Tasks, encode: Callable[..., Any], policy: EnginePolicy
) -> Runner:
    """The runner that suits the way the handler is written."""
    match handler.style:
        case Style.SLOW:
            return Lanes(shares, tasks, layers.slow, encode, policy.in_flight)
        case Style.CHEAP:
            return Inline(shares, tasks, layers.cheap, encode)
        case Style.BATCH:
            return Batches(shares, tasks, layers.batch, encode, policy.batch)


def start(engine: Engine, life: Life, pipeline: Pipeline, handler: Handler) -> list[Any]:
    """Join the group and begin."""
    group = topics.group(pipeline.name, handler.stage.name)
    consuming = properties.consumer(life.settings.kafka.properties(), group, life.settings.group_protocol)
    consumed = pipeline.topics(handler.stage).consumed
    return engine.start(lambda owner: Subscription(consuming, consumed, owner), life.fail)


def encoded(codec: AvroCodec, taken: Taken, settled: Settled) -> tuple[Record, ...]:
    """Everything the decision writes, as bytes."""
    return tuple(
        Record(write.topic, write.key, encode(codec, write.value), write.headers, write.partition)
        for write in settled.writes
    )


def encode(codec: AvroCodec, value: Event | bytes | None) -> bytes | None:
    """An event as bytes; bytes as they are."""
    return value if value is None or isinstance(value, bytes) else codec.encode(value)


def health(engine: Engine, shares: Shares, schemas: Schemas, world: World) -> Health:
    """What the service says of itself."""
    weaker = dict(schemas.weaker) | world.weaker()
    facts = {"partitions": [f"{topic}/{partition}" for topic, partition in shares.owned()]}
    return Health(engine.joined, weaker, facts)


async def watch(engine: Engine, life: Life) -> None:
    """End the process when a client call hangs: nothing else can end such a call."""
    while not engine.hangs:  # noqa: ASYNC110  the thread that hangs can set no event
        await asyncio.sleep(WATCH_SECONDS)
    end_at_once(life.instance, "a transaction hangs in the Kafka client")


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
