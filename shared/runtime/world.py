"""What a handler is handed: the ports its stage needs, opened for the life of the service."""

import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from shared.blobs.store import open_blobs
from shared.core.breaker import BreakerPolicy
from shared.core.bulkhead import BulkheadPolicy
from shared.core.context import Blobs, Models
from shared.core.errors import Misconfigured
from shared.core.graph import Pipeline
from shared.core.ledger import Scope
from shared.core.reentry import Reentry
from shared.core.results import Results
from shared.core.stage import DATABASE, Handler, Style
from shared.database.pool import Database, open_database
from shared.database.results import ResultsTable
from shared.models.client import ModelChains, open_models
from shared.models.questions import ChainPolicy
from shared.models.registry import Registry, load_registry
from shared.models.running import RunningCalls
from shared.observe.bounded import OTHER
from shared.observe.metrics import Metrics
from shared.observe.tracing.traces import Traces
from shared.ports import Ledger
from shared.runtime.flow.slots import Slots, SteppingAside
from shared.runtime.meters import Meters, open_meters
from shared.runtime.paying.ledger import CallLedger, open_ledger
from shared.runtime.paying.once import once
from shared.runtime.process import Life
from shared.runtime.tracing import told
from shared.runtime.watching import CountedModels, LedgerMetrics
from shared.settings import Settings, own_settings
from shared.state.breakers import RedisBreakers

R = TypeVar("R")
V = TypeVar("V")


class OpenModels(Protocol):
    """Gives the models as they are asked in the work on one record."""

    def __call__(self, scope: Scope | None, model: str = "") -> Models:
        """`model`: the one to be asked in place of every chain. Raises Failed(model_unknown)."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """The opened ports of one service."""

    blobs: Blobs
    """Large files."""
    models: OpenModels | None
    """Model chains, where the stage needs one."""
    results: Results | None
    """The table of results, where the stage needs the database."""
    resources: dict[type[Any], Any]
    """The handler's settings and what it opened, by class."""
    breakers: RedisBreakers | None
    """The breakers of the models, and which stages are paused."""
    ledger: Ledger | None
    """The call ledger, where the handler can wait for it."""
    slots: Slots = field(default_factory=lambda: Slots(1))
    """The slots of slow handlers."""
    books: CallLedger | None = None
    """The ledger as it is opened, for its health."""
    meters: Meters | None = None
    """The models' limits and budgets."""
    database: Database | None = None
    """The way to the table of results, for its health."""

    def weaker(self) -> dict[str, str]:
        """Guarantees that are weaker at the moment, and why."""
        late = self.database.health if self.database else ""
        said = {
            "breakers": self.breakers.health if self.breakers and self.models else "",
            "calls": self.books.health if self.books else "",
            "results": late and f"results are late: {late}",
            **(self.meters.weaker() if self.meters else {}),
        }
        return {what: why for what, why in said.items() if why}


async def open_world(
    stack: AsyncExitStack, life: Life, pipeline: Pipeline, handler: Handler, metrics: Metrics, traces: Traces
) -> World:
    """Open what the stage needs; the stack closes it."""
    settings, needs, chains = life.settings, handler.stage.needs, handler.stage.chains
    # A stage without models has no breakers, but hears in their registry that it is paused.
    known = chains or settings.redis_url.get_secret_value()
    breakers = await stack.enter_async_context(open_breakers(life)) if known else None
    running = RunningCalls(BulkheadPolicy(slots=settings.in_flight))
    slots = Slots(settings.in_flight, running.set_aside)
    books: CallLedger | None = None
    ledger: Ledger | None = None
    if handler.style is Style.SLOW or chains:
        name = f"{pipeline.name}.{handler.stage.name}"
        books = await stack.enter_async_context(open_ledger(life, name, LedgerMetrics(metrics)))
        ledger = SteppingAside(books, slots) if handler.style is Style.SLOW else books
    models: OpenModels | None = None
    meters: Meters | None = None
    if breakers and chains:
        registry = registry_with(settings, chains)
        meters = await open_meters(stack, life, books, slots)
        policy = ChainPolicy(pipeline.remedies, pipeline.fallback, settings.quality.policy())
        opening = open_models(registry, breakers, ledger, running, policy, meters.metering(metrics))
        chained = replace(await stack.enter_async_context(opening), told=told(traces))
        models = counted(chained, metrics, settings.budgets.tenants)
    database: Database | None = None
    if DATABASE in needs:
        url = settings.database_url.get_secret_value()
        database = await stack.enter_async_context(open_database(url, life.instance))
    results = ResultsTable(database, pipeline.name) if database else None
    resources: dict[type[Any], Any] = {}
    own = own_settings(handler.settings, handler.stage.name) if handler.settings else None
    if own is not None:
        resources[type(own)] = own
    if handler.opens:
        opened = await stack.enter_async_context(handler.opens(own))
        resources[type(opened)] = opened
    blobs = open_blobs(settings.blobs)
    return World(blobs, models, results, resources, breakers, ledger, slots, books, meters, database)


def counted(chains: ModelChains, metrics: Metrics, named: Collection[str]) -> OpenModels:
    """Models of which every request is counted, on the account of its tenant where that is one of those."""

    def open_for(scope: Scope | None, model: str = "") -> Models:
        asked = replace(chains, registry=chains.registry.only(model)) if model else chains
        return CountedModels(asked.within(scope), metrics, scope.tenant if scope and scope.tenant in named else OTHER)

    return open_for


def open_breakers(life: Life) -> RedisBreakers:
    """This process's member of the breaker registry."""
    chosen = life.settings.breaker
    policy = BreakerPolicy(threshold=chosen.threshold, recovery=chosen.recovery)
    return RedisBreakers(life.settings.redis_url.get_secret_value(), policy, life.instance)


def registry_with(settings: Settings, chains: Sequence[str]) -> Registry:
    """The model registry. Raises Misconfigured where it lacks a chain that the stage needs."""
    registry = load_registry(settings.models_file, os.environ)
    for chain in chains:
        registry.chain(chain)
    return registry


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """One record's view of the world; implements `shared.core.context.Context`."""

    now: datetime
    attempt: int
    world: World
    scope: Scope | None = None
    """Whose work it is, as the ledger knows it."""
    content: bytes = b""
    """The record's value: a step is made once for it."""
    reentry: Reentry | None = None
    """How it came back from the dead letters, where it did."""

    @property
    def prompt(self) -> str:
        """See `Context.prompt`."""
        return self.reentry.prompt if self.reentry else ""

    @property
    def blobs(self) -> Blobs:
        """Large files."""
        return self.world.blobs

    @property
    def models(self) -> Models:
        """Model chains."""
        chains = opened(self.world.models, "a model chain")
        model = self.reentry.model if self.reentry else ""
        return chains(self.scope, model) if model else chains(self.scope)

    @property
    def results(self) -> Results:
        """The table of results."""
        return opened(self.world.results, "DATABASE")

    async def once(self, key: str, make: Callable[[], Awaitable[V]], *, kind: type[V] | None = None) -> V:
        """See `Context.once`. Raises Misconfigured where no one document is at work."""
        if self.world.ledger is None or self.scope is None or not self.scope.document_id:
            raise Misconfigured(
                f"once({key!r}): a step belongs to one document and is waited for, and this handler is plain or takes a"
                " batch: make it an async handler of one event"
            )
        return await once(self.world.ledger, self.scope, self.content, key, make, kind)

    def resource(self, kind: type[R]) -> R:
        """What the handler opened, or its settings, by class."""
        try:
            found: R = self.world.resources[kind]
        except KeyError as error:
            raise Misconfigured(
                f"no {kind.__name__} is open here: name it with @STAGE.handler(settings=…, opens=…)"
            ) from error
        return found


def opened(port: R | None, need: str) -> R:
    """The port. Raises Misconfigured where the stage did not say that it needs it."""
    if port is None:
        raise Misconfigured(f"the stage does not say that it needs {need}: add it to stage(…, needs=…)")
    return port
