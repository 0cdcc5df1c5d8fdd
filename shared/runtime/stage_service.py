"""A stage as a service: `serve(PIPELINE, handler)` is all that its `__main__` says.

settings -> schemas told -> ports opened -> engine started -> health served -> … -> drained -> closed
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from starlette.applications import Starlette

from shared.core import topics
from shared.core.breaker import pause_of
from shared.core.graph import Pipeline
from shared.core.settle import Place
from shared.core.stage import Handler, Style
from shared.kafka import properties
from shared.kafka.admin import ensure, plan
from shared.kafka.log import KafkaLog
from shared.kafka.reading import Reader
from shared.kafka.subscription import Subscription
from shared.kafka_port import Owner
from shared.observe.metrics import Metrics
from shared.runtime.assembly import assemble
from shared.runtime.engine import Engine
from shared.runtime.flow.gate import Gate
from shared.runtime.flow.room import Limits, limits_for
from shared.runtime.flow.shares import Shares
from shared.runtime.following import following
from shared.runtime.health import Health, routes, serving
from shared.runtime.lagging import Lagging
from shared.runtime.process import Life, end_at_once, run
from shared.runtime.schemas import Schemas, codec_for
from shared.runtime.tracing import open_tracing
from shared.runtime.watching import EngineMetrics
from shared.runtime.world import open_world
from shared.settings import configured

WATCH_SECONDS = 1.0


def serve(pipeline: Pipeline, handler: Handler) -> None:
    """Run the stage's service until it is told to end; exits the process."""
    run(handler.stage.name, partial(_stage, pipeline=pipeline, handler=handler))


async def _stage(life: Life, pipeline: Pipeline, handler: Handler) -> None:
    pipeline, kafka = configured(pipeline, life.settings), life.settings.kafka
    await asyncio.to_thread(ensure, kafka.properties(), plan(pipeline), replication=kafka.replication_factor)
    codec = codec_for(pipeline)
    schemas = Schemas(life.settings, codec)
    await schemas.tell(pipeline, handler.stage)
    metrics = Metrics(pipeline.name, handler.stage.name)
    async with AsyncExitStack() as stack:
        tracing = await open_tracing(stack, life, pipeline.name, metrics)
        world = await open_world(stack, life, pipeline, handler, metrics, tracing.traces)
        gate = Gate(pause_of(pipeline.name, handler.stage.name), world.breakers)
        gate.look()
        limits = limits_for(life.settings.in_flight) if handler.style is Style.SLOW else Limits()
        shares = Shares(limits, pipeline.topics(handler.stage), gate)
        watched = EngineMetrics(metrics, shares, world.breakers, world.meters.limits if world.meters else None)
        engine, cancelling = assemble(
            life, Place(pipeline, handler.stage), handler, codec, world, watched, tracing.traces
        )
        log = KafkaLog(kafka.properties(), topics.cancelled(pipeline.name))
        ear = await stack.enter_async_context(following(log, cancelling.told))
        await ear.whole()
        lagging = Lagging(partial(Reader, kafka.properties()), shares, metrics)
        threads = start(engine, life, pipeline, handler, lagging)
        look = partial(health, engine, shares, schemas, (world.weaker, gate.weaker, ear.weaker, tracing.weaker))
        app = Starlette(routes=list(routes(look, lambda: watched.exposition(engine.waiting))))
        await stack.enter_async_context(serving(app, life.settings.health_port, life.settings.health_host))
        watches = (schemas.watch(), watch(engine, life), gate.watch(), lagging.watch())
        watchers = [asyncio.create_task(each) for each in watches]
        await life.ended.wait()
        engine.stop()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        for watcher in watchers:
            watcher.cancel()


def start(engine: Engine, life: Life, pipeline: Pipeline, handler: Handler, lagging: Lagging) -> list[Any]:
    """Join the group and begin."""
    group = topics.group(pipeline.name, handler.stage.name)
    consuming = properties.consumer(life.settings.kafka.properties(), group, life.settings.group_protocol)
    if handler.style is Style.SLOW:
        consuming |= properties.SLOW
    consumed = pipeline.topics(handler.stage).consumed

    def join(owner: Owner) -> Subscription:
        subscription = Subscription(consuming, consumed, owner)
        lagging.subscriptions.append(subscription)
        return subscription

    return engine.start(join, life.fail)


def health(
    engine: Engine, shares: Shares, schemas: Schemas, others: tuple[Callable[[], Mapping[str, str]], ...]
) -> Health:
    """What the service says of itself; `others` tell what is weaker elsewhere."""
    weaker = dict(schemas.weaker)
    for other in others:
        weaker |= other()
    owned = [f"{topic}/{partition}" for topic, partition in shares.owned()]
    facts = {"partitions": owned, "paused": shares.standing().paused}
    return Health(engine.joined, weaker, facts)


async def watch(engine: Engine, life: Life) -> None:
    """End the process when a client call hangs: nothing else can end such a call."""
    while not engine.hangs:  # noqa: ASYNC110  the thread that hangs can set no event
        await asyncio.sleep(WATCH_SECONDS)
    end_at_once(life.instance, "a call of the Kafka client hangs")
