"""An HTTP door as a service: its application beside health and metrics, and the ports it reads and writes by."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.routing import Mount

from shared.blobs.store import open_blobs
from shared.core.context import Blobs
from shared.core.graph import Pipeline
from shared.database.pool import DatabasePolicy, open_database
from shared.database.results import ResultsTable
from shared.database.submissions import SubmissionsTable
from shared.kafka.admin import ensure, plan
from shared.kafka.publisher import KafkaPublisher
from shared.observe.metrics import Metrics
from shared.ports import Publisher, StoredResults, Submissions
from shared.runtime.assembly import utc_now
from shared.runtime.health import Health, routes, serving
from shared.runtime.process import Life, run
from shared.runtime.schemas import Schemas, codec_for
from shared.settings import own_settings

IMPATIENT = DatabasePolicy(connect_seconds=2, wait_seconds=1.0)
"""A caller waits at the door: without PostgreSQL it goes on sooner, only without deduplication."""


class DoorSettings(Protocol):
    """Where a door listens."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """The ports of a door, opened."""

    publisher: Publisher
    """To the ingest topic."""
    submissions: Submissions
    """What was accepted."""
    results: StoredResults
    """What became of it."""
    blobs: Blobs
    """Large files."""
    topic: str
    """The ingest topic."""
    clock: Callable[[], datetime]
    """UTC."""
    settings: Any
    """The door's own settings."""


def serve(
    pipeline: Pipeline, service: str, settings: type[DoorSettings], make: Callable[[OpenDoor], Starlette]
) -> None:
    """Run the door until it is told to end; exits the process."""
    run(service, partial(_door, pipeline=pipeline, settings=settings, make=make))


async def _door(
    life: Life, pipeline: Pipeline, settings: type[DoorSettings], make: Callable[[OpenDoor], Starlette]
) -> None:
    kafka = life.settings.kafka.properties()
    await asyncio.to_thread(ensure, kafka, plan(pipeline), replication=life.settings.kafka.replication_factor)
    own: DoorSettings = own_settings(settings, life.service)
    codec = codec_for(pipeline)
    schemas = Schemas(life.settings, codec)
    await schemas.tell(pipeline, None)
    async with AsyncExitStack() as stack:
        url = life.settings.database_url.get_secret_value()
        database = await stack.enter_async_context(open_database(url, life.instance, IMPATIENT))
        opened = OpenDoor(
            publisher=await stack.enter_async_context(KafkaPublisher(kafka, codec)),
            submissions=SubmissionsTable(database, pipeline.name),
            results=ResultsTable(database, pipeline.name),
            blobs=open_blobs(life.settings.blobs),
            topic=pipeline.topics(pipeline.first).input,
            clock=utc_now,
            settings=own,
        )
        metrics = Metrics(pipeline.name, life.service)
        watched = list(routes(lambda: Health(True, schemas.weaker, {}), partial(asyncio.to_thread, metrics.exposition)))
        application = Starlette(routes=[*watched, Mount("/", make(opened))])
        await stack.enter_async_context(serving(application, own.port, own.host))
        # The same on the port where every service has its health, so that nobody needs to know which one is a door.
        health_port = await stack.enter_async_context(
            serving(Starlette(routes=watched), life.settings.health_port, life.settings.health_host)
        )
        life.say(f"listening on http://{own.host}:{own.port}, health on {health_port}")
        await life.ended.wait()
