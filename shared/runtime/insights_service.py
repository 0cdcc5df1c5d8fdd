"""The live counts as a service: what counts is given, here are its process, its health and its page.

GET /insights?window=1m|5m|1h|1d&last=N    the newest N windows of one kind, for the console
GET /insights/totals                       everything it holds, to be held against a recount
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.kafka.admin import ensure, plan
from shared.observe.metrics import Metrics
from shared.pipelines.named import named_pipeline
from shared.pipelines.telling import Telling
from shared.runtime.health import Health, routes, serving
from shared.runtime.process import Life, run
from shared.runtime.schemas import Schemas, codec_for
from shared.settings import configured, own_settings

SERVICE = "insights"
LOOK_SECONDS = 0.5
"""How often it is looked whether the counting goes on."""
STOP_SECONDS = 10.0
"""Longest wait for the counting to end; its process may be killed at any time, so no harm is done."""
LAST = 60
"""Windows of a page, where nobody says how many."""
MOST = 1_440


class Counting(Protocol):
    """Counts the pipeline's records."""

    @property
    def ready(self) -> bool: ...
    @property
    def partitions(self) -> list[int]: ...
    @property
    def trouble(self) -> str: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def page(self, window: str, last: int) -> dict[str, Any]: ...
    def totals(self) -> dict[str, int]: ...


class Build(Protocol):
    """Makes it."""

    def __call__(
        self, telling: Telling, settings: Any, kafka: Mapping[str, Any], folder: Path, replication: int
    ) -> Counting: ...


def serve(build: Build, settings: type[Any]) -> None:
    """Run the service for the pipeline that the settings name, until it is told to end; exits the process."""
    run(SERVICE, partial(_insights, build=build, settings=settings))


async def _insights(life: Life, build: Build, settings: type[Any]) -> None:
    pipeline = configured(named_pipeline(life.settings.pipeline), life.settings)
    kafka = life.settings.kafka
    await asyncio.to_thread(ensure, kafka.properties(), plan(pipeline), replication=kafka.replication_factor)
    codec = codec_for(pipeline)
    schemas = Schemas(life.settings, codec)
    folder = life.settings.home / SERVICE
    counting = build(
        Telling(pipeline, codec), own_settings(settings, SERVICE), kafka.properties(), folder, kafka.replication_factor
    )
    metrics = Metrics(pipeline.name, SERVICE)
    look = partial(health, counting, schemas)
    doors = [*routes(look, partial(asyncio.to_thread, metrics.exposition)), *pages(counting)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            serving(Starlette(routes=doors), life.settings.health_port, life.settings.health_host)
        )
        watcher = asyncio.create_task(schemas.watch())
        await until_the_end(life, counting)
        watcher.cancel()


async def until_the_end(life: Life, counting: Counting) -> None:
    """Count until the process should end, or the counting has ended by itself."""
    starting = asyncio.create_task(counting.start())
    while not life.ended.is_set():
        if starting.done() and (error := starting.exception()) is not None:
            life.fail(error)
        elif counting.trouble:
            life.fail(RuntimeError(counting.trouble))
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(life.ended.wait(), LOOK_SECONDS)
    starting.cancel()
    await asyncio.wait([asyncio.create_task(counting.stop())], timeout=STOP_SECONDS)


def health(counting: Counting, schemas: Schemas) -> Health:
    """What the service says of itself."""
    return Health(counting.ready, dict(schemas.weaker), {"partitions": counting.partitions})


def pages(counting: Counting) -> list[Route]:
    """The page, and the totals."""

    async def windows(request: Request) -> Response:
        window, last = request.query_params.get("window", "5m"), request.query_params.get("last", str(LAST))
        if not last.isascii() or not last.isdecimal() or not 0 < int(last[:9]) <= MOST:
            return JSONResponse({"error": f"last={last}: give a number from 1 to {MOST}"}, status_code=400)
        try:
            return JSONResponse(counting.page(window, int(last)))
        except KeyError:
            return JSONResponse({"error": f"window={window}: give 1m, 5m, 1h or 1d"}, status_code=400)

    async def totals(request: Request) -> Response:
        if not counting.ready:
            return JSONResponse({"error": "its table is still being read back"}, status_code=503)
        return JSONResponse(counting.totals())

    return [Route("/insights", windows), Route("/insights/totals", totals)]
