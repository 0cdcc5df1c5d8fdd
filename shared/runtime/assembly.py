"""How the engine of a stage is put together."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.codec.avro import AvroCodec
from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.event import Event
from shared.core.settle import Place, Settled
from shared.core.stage import Handler, Style
from shared.kafka import properties
from shared.kafka.transactions import Record, Transactor
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.layers import Layers
from shared.runtime.process import Life
from shared.runtime.runners import Batches, Inline, Lanes, Runner, Tasks
from shared.runtime.shares import Shares, Taken
from shared.runtime.waiting import Waiting
from shared.runtime.watching import EngineMetrics
from shared.runtime.world import HandlerContext, World


def assemble(
    life: Life, place: Place, handler: Handler, codec: AvroCodec, world: World, watched: EngineMetrics
) -> Engine:
    """The engine of a stage, put together and not started."""

    def context(delivery: Delivery, now: datetime) -> HandlerContext:
        return HandlerContext(now, delivery.attempt, world)

    policy, shares = EnginePolicy(), watched.shares
    layers = Layers(place, handler, codec, context, utc_now, watched.metrics.observe)
    runner = runner_for(handler, layers, shares, Tasks(life.fail), partial(encoded, codec), policy)
    identity = topics.transactional_id(place.pipeline.name, place.stage.name, life.instance)
    producing = properties.transactional(life.settings.kafka.properties(), identity)
    transactor = Transactor(producing, watched.metrics.trouble)
    return Engine(policy, shares, transactor, Waiting(place, runner, utc_now), watched)


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


def encoded(codec: AvroCodec, taken: Taken, settled: Settled) -> tuple[Record, ...]:
    """Everything the decision writes, as bytes."""
    return tuple(
        Record(write.topic, write.key, encode(codec, write.value), write.headers, write.partition)
        for write in settled.writes
    )


def encode(codec: AvroCodec, value: Event | bytes | None) -> bytes | None:
    """An event as bytes; bytes as they are."""
    return value if value is None or isinstance(value, bytes) else codec.encode(value)


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
