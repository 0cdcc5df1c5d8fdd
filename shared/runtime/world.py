"""What a handler is handed: the ports its stage needs, opened for the life of the service."""

import os
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from shared.blobs.store import open_blobs
from shared.core.breaker import BreakerPolicy
from shared.core.context import Blobs, Models
from shared.core.errors import Misconfigured
from shared.core.graph import Pipeline
from shared.core.results import Results
from shared.core.stage import DATABASE, Handler
from shared.database.pool import open_database
from shared.database.results import ResultsTable
from shared.models.client import ModelChains, open_models
from shared.models.registry import load_registry
from shared.observe.metrics import Metrics
from shared.runtime.process import Life
from shared.runtime.watching import CountedModels
from shared.settings import Settings, own_settings
from shared.state.breakers import RedisBreakers

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class World:
    """The opened ports of one service."""

    blobs: Blobs
    """Large files."""
    models: Models | None
    """Model chains, where the stage needs one."""
    results: Results | None
    """The table of results, where the stage needs the database."""
    resources: dict[type[Any], Any]
    """The handler's settings and what it opened, by class."""
    breakers: RedisBreakers | None
    """The breakers of the models."""

    def weaker(self) -> dict[str, str]:
        """Guarantees that are weaker at the moment, and why."""
        trouble = self.breakers.health if self.breakers else ""
        return {"breakers": trouble} if trouble else {}


async def open_world(
    stack: AsyncExitStack, life: Life, pipeline: Pipeline, handler: Handler, metrics: Metrics
) -> World:
    """Open what the stage needs; the stack closes it."""
    settings, needs = life.settings, handler.stage.needs
    chains = [need for need in needs if need != DATABASE]
    breakers = await stack.enter_async_context(open_breakers(life)) if chains else None
    models = None
    if breakers:
        models = CountedModels(await stack.enter_async_context(open_chains(settings, breakers, chains)), metrics)
    results = None
    if DATABASE in needs:
        url = settings.database_url.get_secret_value()
        results = ResultsTable(await stack.enter_async_context(open_database(url, life.instance)), pipeline.name)
    resources: dict[type[Any], Any] = {}
    own = own_settings(handler.settings, handler.stage.name) if handler.settings else None
    if own is not None:
        resources[type(own)] = own
    if handler.opens:
        opened = await stack.enter_async_context(handler.opens(own))
        resources[type(opened)] = opened
    return World(open_blobs(settings.blobs), models, results, resources, breakers)


def open_breakers(life: Life) -> RedisBreakers:
    """This process's member of the breaker registry."""
    chosen = life.settings.breaker
    policy = BreakerPolicy(threshold=chosen.threshold, recovery=chosen.recovery)
    return RedisBreakers(life.settings.redis_url.get_secret_value(), policy, life.instance)


def open_chains(
    settings: Settings, breakers: RedisBreakers, chains: list[str]
) -> AbstractAsyncContextManager[ModelChains]:
    """The model chains; Misconfigured where the registry lacks one that the stage needs."""
    registry = load_registry(settings.models_file, os.environ)
    for chain in chains:
        registry.chain(chain)
    return open_models(registry, breakers)


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """One record's view of the world; implements `shared.core.context.Context`."""

    now: datetime
    attempt: int
    world: World

    @property
    def blobs(self) -> Blobs:
        """Large files."""
        return self.world.blobs

    @property
    def models(self) -> Models:
        """Model chains."""
        return opened(self.world.models, "a model chain")

    @property
    def results(self) -> Results:
        """The table of results."""
        return opened(self.world.results, "DATABASE")

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
