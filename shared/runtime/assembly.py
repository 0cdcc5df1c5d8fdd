"""How the engine of a stage is put together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.codec.avro import AvroCodec
from shared.core import topics
from shared.core.crash_points import CrashPoint
from shared.core.delivery import Delivery
from shared.core.settle import Place, Settled
from shared.core.stage import Handler, Style
from shared.kafka import properties
from shared.kafka.transactions import Transactor
from shared.kafka_port import Record
from shared.observe.tracing.traces import Traces
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.cancelling import Cancelling
from shared.runtime.flow.encoding import Encoder
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.runners import Batches, Desk, Inline, Runner, Slow, Tasks
from shared.runtime.flow.share import Taken
from shared.runtime.flow.shares import Shares
from shared.runtime.flow.slots import Slots
from shared.runtime.paying.once import scope_of
from shared.runtime.process import Life
from shared.runtime.tracing import unwritable
from shared.runtime.watching import EngineMetrics
from shared.runtime.world import HandlerContext, World


def assemble(
    life: Life, place: Place, handler: Handler, codec: AvroCodec, world: World, watched: EngineMetrics, traces: Traces
) -> tuple[Engine, Cancelling]:
    """The engine of a stage, put together and not started, and who is to be told what operators cancel."""

    def context(delivery: Delivery, event: Any, now: datetime) -> HandlerContext:
        life.crash_here(CrashPoint.BEFORE_CALL)
        # A cheap stage has no ledger, and takes more records a second than it could name.
        scope = None
        if world.ledger is not None:
            scope = scope_of(place, delivery, None if handler.style is Style.BATCH else event)
        return HandlerContext(now, delivery.attempt, world, scope, delivery.value or b"", delivery.reentry)

    policy, shares, cancelling = EnginePolicy(), watched.shares, Cancelling(results=world.results)
    layers = Layers(place, handler, codec, context, utc_now, watched.metrics.observe, cancelling, traces)
    encoder = Encoder(place, codec, utc_now, unwritable(watched.metrics.observe, traces, place, codec))

    def encode(taken: Taken, settled: Settled) -> tuple[Record, ...]:
        life.crash_here(CrashPoint.AFTER_CALL)
        return encoder(taken, settled)

    runners = Runners(handler, layers, shares, Tasks(life.fail), policy, world.slots)
    identity = topics.transactional_id(place.pipeline.name, place.stage.name, life.instance)
    producing = properties.transactional(life.settings.kafka.properties(), identity)
    transactor = Transactor(producing, watched.metrics.trouble, life.crash_here)
    admission = Admission(place, shares, encode, utc_now, runners.make)
    cancelling.recall = partial(admission.recall, layers.cancels)
    return Engine(policy, shares, transactor, admission, watched, life.crash_here), cancelling


@dataclass(frozen=True, slots=True)
class Runners:
    """Makes the runner that suits the way the handler is written."""

    handler: Handler
    layers: Layers
    shares: Shares
    tasks: Tasks
    policy: EnginePolicy
    slots: Slots

    def make(self, desk: Desk) -> Runner:
        """The runner that tells this desk."""
        match self.handler.style:
            case Style.SLOW:
                return Slow(desk, self.shares, self.tasks, self.layers.slow, self.slots)
            case Style.CHEAP:
                return Inline(desk, self.shares, self.tasks, self.layers.cheap)
            case Style.BATCH:
                return Batches(desk, self.shares, self.tasks, self.layers.batch, self.policy.batch)


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)
