"""Webhooks as a service: what is to be told is read from the topics, noted in PostgreSQL, and delivered from there.

Nothing of the pipeline waits for it: it is no member of a stage's group, and its own reader does not wait for any
receiver. Without hooks it reads nothing and only answers for its health.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from starlette.applications import Starlette

from shared.core.errors import Failed, Unavailable
from shared.core.graph import Pipeline
from shared.core.shelves import doors
from shared.core.webhooks.hook import Hook
from shared.database.deliveries import DeliveriesTable
from shared.database.notices import NoticesTable
from shared.database.pool import DatabasePolicy, open_database
from shared.hooks.file import load_hooks
from shared.kafka.admin import ensure, plan
from shared.observe.metrics import Metrics
from shared.pipelines.ended import result_types
from shared.pipelines.named import named_pipeline
from shared.runtime.health import Health, routes, serving
from shared.runtime.notifying.delivering import Delivering
from shared.runtime.notifying.news import News
from shared.runtime.notifying.noticing import Noticing
from shared.runtime.process import Life, run
from shared.runtime.schemas import Schemas, codec_for
from shared.runtime.tailing import PAUSE_SECONDS, Reading
from shared.settings import configured, own_settings

SERVICE = "notify"
NICE = 10
"""How much the pipeline's own work goes before."""
CONNECTIONS = 4
"""To PostgreSQL, for the reader and all hooks together: a connection is held for a statement, never for a request."""
TIDY_SECONDS = 5.0
"""How often what waits is counted, and what is too old given up or deleted."""
CHUNK = 5000
"""Deliveries that are deleted at once."""


class NotifySettings(Protocol):
    """What can be set."""

    @property
    def quiet_seconds(self) -> float: ...
    @property
    def keep_days(self) -> float: ...


@dataclass(slots=True)
class Notify:
    """The running service."""

    life: Life
    hooks: Sequence[Hook]
    metrics: Metrics
    keep: float
    """Seconds for which is kept what has been delivered, or came of batches."""
    noticing: Noticing | None = None
    delivering: Sequence[Delivering] = ()
    standing: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How each hook stands."""

    async def work(self, noticing: Noticing, deliveries: DeliveriesTable) -> None:
        """Read and deliver until the process should end, or a part of it breaks."""
        self.noticing = noticing
        self.delivering = [Delivering(self.life, hook, deliveries, self.metrics, noticing.news) for hook in self.hooks]
        parts = [noticing.work(), self._tidy(noticing.table, deliveries), *(each.work() for each in self.delivering)]
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(part)
        except ExceptionGroup as broken:
            self.life.fail(broken.exceptions[0])

    async def _tidy(self, notices: NoticesTable, deliveries: DeliveriesTable) -> None:
        while not self.life.ended.is_set():
            try:
                for hook in self.hooks:
                    await deliveries.expire(hook.name, hook.patience.hours)
                while await deliveries.forget(self.keep, CHUNK) == CHUNK or await notices.forget(self.keep):
                    pass
                self.standing = {row["hook"]: row for row in await deliveries.standing()}
                self._count()
            except (Unavailable, Failed):
                # Who reads and who delivers say it.
                pass
            with suppress(TimeoutError):
                await asyncio.wait_for(self.life.ended.wait(), TIDY_SECONDS)

    def _count(self) -> None:
        for hook in self.hooks:
            row = self.standing.get(hook.name, {})
            self.metrics.webhook_waiting(hook.name).set(row.get("waiting", 0))
            self.metrics.webhook_given_up(hook.name).set(row.get("given_up", 0))
            oldest = row.get("oldest")
            age = time.time() - oldest.timestamp() if oldest else 0.0
            self.metrics.webhook_oldest(hook.name).set(max(age, 0))

    def health(self) -> Health:
        """What the service says of itself."""
        weaker: dict[str, str] = {}
        if self.noticing:
            weaker |= {"webhooks": self.noticing.trouble} if self.noticing.trouble else {}
            weaker |= self.noticing.reading.schemas.weaker
        for each in self.delivering:
            if said := each.trouble or (f"{each.failures} tries in a row failed: {each.said}" if each.failures else ""):
                weaker[f"webhook {each.hook.name}"] = said
        waiting = {hook.name: self.standing.get(hook.name, {}).get("waiting", 0) for hook in self.hooks}
        return Health(True, weaker, {"hooks": waiting})


def serve(settings: type[NotifySettings]) -> None:
    """Run the webhooks of the pipeline that the settings name until it is told to end; exits the process."""
    run(SERVICE, partial(_notify, settings=settings))


async def _notify(life: Life, settings: type[NotifySettings]) -> None:
    os.nice(NICE)
    own: NotifySettings = own_settings(settings, SERVICE)
    pipeline = configured(named_pipeline(life.settings.pipeline), life.settings)
    hooks = load_hooks(life.settings.webhooks, os.environ, pipeline.name)
    metrics = Metrics(pipeline.name, SERVICE)
    notify = Notify(life, hooks, metrics, own.keep_days * 86_400)
    told = routes(notify.health, partial(asyncio.to_thread, metrics.exposition))
    async with AsyncExitStack() as stack:
        app = Starlette(routes=list(told))
        await stack.enter_async_context(serving(app, life.settings.health_port, life.settings.health_host))
        if not hooks:
            life.say("no webhooks: PENSTOCK_WEBHOOKS names no file, or none of its hooks is for this pipeline")
            await life.ended.wait()
            return
        url = life.settings.database_url.get_secret_value()
        policy = DatabasePolicy(connections=CONNECTIONS)
        database = await stack.enter_async_context(open_database(url, life.instance, policy))
        deliveries = DeliveriesTable(database, pipeline.name)
        if since := await registered(life, deliveries, hooks):
            noticing = await open_noticing(notify, pipeline, NoticesTable(database, pipeline.name), since)
            noticing.quiet = own.quiet_seconds
            life.say(f"tells {len(hooks)} webhooks")
            await notify.work(noticing, deliveries)


async def registered(life: Life, table: DeliveriesTable, hooks: Sequence[Hook]) -> Mapping[str, datetime]:
    """From when on each hook is told; waits for PostgreSQL, and gives nothing where the process is to end before."""
    while not life.ended.is_set():
        try:
            return await table.since([hook.name for hook in hooks])
        except Unavailable as error:
            life.say(error.message)
            with suppress(TimeoutError):
                await asyncio.wait_for(life.ended.wait(), PAUSE_SECONDS)
    return {}


async def open_noticing(
    notify: Notify, pipeline: Pipeline, table: NoticesTable, since: Mapping[str, datetime]
) -> Noticing:
    """The reader; makes the topics where they are not there yet."""
    settings, codec = notify.life.settings, codec_for(pipeline)
    kafka = settings.kafka.properties()
    await asyncio.to_thread(ensure, kafka, plan(pipeline), replication=settings.kafka.replication_factor)
    return Noticing(
        life=notify.life,
        pipeline=pipeline,
        reading=Reading(codec, Schemas(settings, codec), doors(pipeline, result_types(pipeline))),
        table=table,
        metrics=notify.metrics,
        hooks=notify.hooks,
        since=since,
        kafka=kafka,
        news=News(),
    )
