"""The journal as a service: every topic of a pipeline into tables, each record once.

    poll -> entries -> one transaction with the positions -> poll …

It is no member of a group whose offsets Kafka keeps: positions stand with the entries in PostgreSQL, so nothing has to
agree with anything. A second process does no harm and no work twice: who finds other positions than it read from begins
again from those.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from starlette.applications import Starlette

from shared.core.delivery import Delivery
from shared.core.errors import Failed, Unavailable
from shared.core.event import Partition
from shared.core.graph import Pipeline
from shared.core.shelves import shelves
from shared.database.journal import JournalTable
from shared.database.passes import Passes
from shared.database.pool import DatabasePolicy, open_database
from shared.database.positions import Overtaken
from shared.kafka.admin import ensure, plan
from shared.kafka.reading import Reader
from shared.observe.metrics import Metrics
from shared.pipelines.ended import result_types
from shared.pipelines.named import named_pipeline
from shared.runtime.auditing import Auditor
from shared.runtime.health import Health, routes, serving
from shared.runtime.housekeeping import Hours, keep_house
from shared.runtime.janitor import Janitor
from shared.runtime.process import Life, run
from shared.runtime.schemas import Schemas, codec_for
from shared.runtime.stalls import StuckGauge
from shared.runtime.tailing import PAUSE_SECONDS, Reading, after, portions
from shared.runtime.world import open_breakers
from shared.settings import configured, own_settings

SERVICE = "journal"
CHECK_SECONDS = 5.0
"""How often it looks, while nothing comes, whether the tables have been emptied."""
TIDY_SECONDS = 30.0
"""How often old entries are deleted, and documents counted."""
CURRENT_SECONDS = 10.0
"""Age of what it reads up to which it knows how things are now."""
CHUNK = 5000
"""Entries that are deleted at once."""
AUDITED = 300_000
"""Records that are audited in this process: each takes half a kilobyte meanwhile."""
NICE = 10
"""How much the pipeline's own work goes before: the journal may lag, and then catches up."""


class JournalSettings(Protocol):
    """What can be set."""

    @property
    def keep_days(self) -> float: ...
    @property
    def audit_seconds(self) -> float: ...


def serve(settings: type[JournalSettings]) -> None:
    """Run the journal of the pipeline that the settings name until it is told to end; exits the process."""
    run(SERVICE, partial(_journal, settings=settings))


@dataclass(slots=True)
class Journal:
    """One running journal."""

    life: Life
    pipeline: Pipeline
    reading: Reading
    table: JournalTable
    metrics: Metrics
    keep: timedelta
    kafka: Mapping[str, Any]
    trouble: str = ""
    """What keeps it from working at the moment, in one sentence."""
    read: int = 0
    """Entries written by this process."""
    is_current: bool = False
    """It has read what there is."""
    _positions: dict[Partition, int] = field(default_factory=dict)
    _states: set[str] = field(default_factory=set)
    _tidied: float = 0.0
    _checked: float = 0.0

    async def work(self) -> None:
        """Follow the topics until the process should end."""
        while not self.life.ended.is_set():
            try:
                await self._follow()
            except Overtaken as error:
                self.is_current = False
                self.life.say(str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            except (Unavailable, Failed) as error:
                await self._wait(error.message)

    async def _wait(self, said: str) -> None:
        self.is_current = False
        if self.trouble != said:
            self.life.say(said)
        self.trouble = said
        await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self) -> None:
        self._positions = await self.table.positions()
        spans = await asyncio.to_thread(Reader(self.kafka).spans, list(self.reading.shelves))
        starts = {part: max(self._positions.get(part, 0), span.start) for part, span in spans.items()}
        async with aclosing(portions(self.kafka, starts, self.life.ended)) as coming:
            async for records, _ in coming:
                self.is_current = not records or _age(records[-1]) < CURRENT_SECONDS
                if records:
                    await self._keep(records)
                elif time.monotonic() - self._checked > CHECK_SECONDS:
                    await self._check()
                self.trouble = ""
                await self._tidy()

    async def _check(self) -> None:
        """Look whether the tables are still as this process left them. Raises Overtaken."""
        if await self.table.positions() != self._positions:
            raise Overtaken("somebody else has written the journal, or emptied it")
        self._checked = time.monotonic()

    async def _keep(self, records: list[Delivery]) -> None:
        began = time.monotonic()
        entries = await self.reading.entries(records)
        oldest, end = datetime.now(UTC) - self.keep, after(records)
        begin = {part: self._positions.get(part) for part in end}
        kept = [entry for entry in entries if entry.at >= oldest]
        while not self.life.ended.is_set():
            try:
                await self.table.write(kept, begin, end)
                break
            except Unavailable as error:
                await self._wait(error.message)
        else:
            return
        self._positions |= end
        self.read += len(kept)
        self.metrics.journal_entries().inc(len(kept))
        self.metrics.journal_seconds().observe(time.monotonic() - began)
        self.metrics.journal_behind().set(max(_age(records[-1]), 0))

    async def _tidy(self) -> None:
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        oldest = datetime.now(UTC) - self.keep
        while not self.life.ended.is_set() and await self.table.forget(oldest, CHUNK) == CHUNK:
            pass
        states = await self.table.states()
        for state in self._states | states.keys():
            self.metrics.documents(state).set(states.get(state, 0))
        self._states |= states.keys()
        self._tidied = time.monotonic()


def _age(record: Delivery) -> float:
    return (datetime.now(UTC) - record.appended_at).total_seconds()


async def _journal(life: Life, settings: type[JournalSettings]) -> None:
    os.nice(NICE)
    own: JournalSettings = own_settings(settings, SERVICE)
    pipeline = configured(named_pipeline(life.settings.pipeline), life.settings)
    kafka = life.settings.kafka.properties()
    await asyncio.to_thread(ensure, kafka, plan(pipeline), replication=life.settings.kafka.replication_factor)
    ends, codec = result_types(pipeline), codec_for(pipeline)
    schemas, metrics = Schemas(life.settings, codec), Metrics(pipeline.name, SERVICE)
    async with AsyncExitStack() as stack:
        url = life.settings.database_url.get_secret_value()
        policy = DatabasePolicy(connections=2)
        database = await stack.enter_async_context(open_database(url, life.instance, policy))
        asked_for = frozenset(kind for stage in pipeline.stages if stage.chains for kind in stage.gives)
        journal = Journal(
            life=life,
            pipeline=pipeline,
            reading=Reading(codec, schemas, shelves(pipeline, ends), asked_for),
            table=JournalTable(database, pipeline.name),
            metrics=metrics,
            keep=timedelta(days=own.keep_days),
            kafka=kafka,
        )
        app = Starlette(routes=list(routes(partial(health, journal), partial(asyncio.to_thread, metrics.exposition))))
        await stack.enter_async_context(serving(app, life.settings.health_port, life.settings.health_host))
        breakers = await stack.enter_async_context(open_breakers(life))
        gauge = StuckGauge(Passes(database, pipeline.name), pipeline, breakers, metrics, lambda: journal.is_current)
        counting = asyncio.create_task(gauge.follow(TIDY_SECONDS))
        auditor = Auditor(kafka, pipeline, codec, ends, database, schemas.look, AUDITED)
        keep, hooks = timedelta(days=life.settings.janitor.keep_days), bool(life.settings.webhooks)
        janitor = Janitor(auditor, keep, life.instance, hooks)
        keeping = asyncio.create_task(
            keep_house(janitor, metrics, Hours(own.audit_seconds, life.settings.janitor.every_seconds))
        )
        await journal.work()
        keeping.cancel()
        counting.cancel()


def health(journal: Journal) -> Health:
    """What the journal says of itself."""
    weaker = {"journal": journal.trouble} if journal.trouble else {}
    return Health(True, weaker | journal.reading.schemas.weaker, {"entries": journal.read})
