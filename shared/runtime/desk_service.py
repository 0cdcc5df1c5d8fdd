"""The review desk as a service: requests out of Kafka into the table, decisions out of the table into Kafka.

    <pipeline>.review -> requested() -> table -> a person -> decided() -> rows, then records with their sequence

What an operator cancels is decided without a person: when the word comes, and when the request does.

Requests are taken in at least once, for a request's name is its place in Kafka. Decisions go out exactly once: the
number of the last one sent is committed with the records, under the group's generation, so a process that has lost its
partitions can send nothing. Whoever owns partition 0 sends them. That number stands as the group's offset in the
results topic, which the group never reads.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from starlette.applications import Starlette

from shared.codec.avro import AvroCodec
from shared.core import topics
from shared.core.cancellation import CANCEL, Cancellations
from shared.core.delivery import Delivery
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.graph import Pipeline
from shared.core.results import ResultRow
from shared.core.settle import Place, Write
from shared.database.pool import Database, open_database
from shared.database.results import ResultsTable
from shared.database.reviews import ReviewsTable
from shared.database.spending import Account
from shared.kafka import properties
from shared.kafka.admin import ensure, plan
from shared.kafka.intake import Intake
from shared.kafka.log import KafkaLog
from shared.kafka.transactions import Transactor
from shared.kafka_port import Offset, Record
from shared.observe.metrics import Metrics
from shared.ports import ReviewItem
from shared.runtime.accounts import Accounts
from shared.runtime.flow.encoding import encode
from shared.runtime.following import Following, following
from shared.runtime.health import Health, routes, serving
from shared.runtime.process import Life, run
from shared.runtime.schemas import Schemas, codec_for
from shared.runtime.tracing import Tracing, open_tracing

SERVICE = "review"
POLL_SECONDS = 0.25
"""Longest wait for a request; a decision waits as long."""
BATCH = 200
MOST = 10_000
"""Waiting reviews that are looked through when something is cancelled; what is beyond them ends at the stage that takes
it up after a person's decision."""
PAUSE_SECONDS = 1.0
"""Pause after something failed that heals."""


class Causes(Protocol):
    """Everything a decision causes."""

    @property
    def rows(self) -> tuple[ResultRow, ...]: ...
    @property
    def writes(self) -> tuple[Write, ...]: ...
    @property
    def note(self) -> str: ...


Requested = Callable[[Pipeline, Delivery], ReviewItem]
Decided = Callable[[Pipeline, AvroCodec, ReviewItem], Causes]


def serve(pipeline: Pipeline, requested: Requested, decided: Decided) -> None:
    """Run the desk until it is told to end; exits the process."""
    run(SERVICE, partial(_desk, pipeline=pipeline, requested=requested, decided=decided))


@dataclass(slots=True)
class Desk:
    """One running desk."""

    life: Life
    pipeline: Pipeline
    codec: AvroCodec
    reviews: ReviewsTable
    results: ResultsTable
    intake: Intake
    transactor: Transactor
    requested: Requested
    decided: Decided
    tracing: Tracing
    known: Cancellations = field(default_factory=Cancellations)
    """What operators have cancelled."""
    news: bool = False
    """Words have come since the table was last looked through."""
    trouble: str = ""
    """What keeps it from working at the moment, in one sentence."""

    async def work(self) -> None:
        """Take in and send out until the process should end."""
        while not self.life.ended.is_set():
            try:
                await self._take_in()
                await self._look_through()
                await self._send_out()
                self.trouble = ""
            except (Unavailable, Failed) as error:
                if self.trouble != error.message:
                    self.life.say(error.message)
                self.trouble = error.message
                await asyncio.sleep(PAUSE_SECONDS)

    def told(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """These words came."""
        for key, value in records:
            self.known.learn(key, value)
        self.news = self.news or bool(records)

    async def _look_through(self) -> None:
        """Decide what waits and was cancelled since."""
        if not self.news:
            return
        self.news = False
        try:
            await self._cancel(await self.reviews.waiting(MOST))
        except (Unavailable, Failed):
            self.news = True
            raise

    async def _cancel(self, items: Sequence[ReviewItem]) -> None:
        if not self.known:
            return
        for item in items:
            try:
                proposal = self.codec.decode(item.proposal, self.pipeline.stage(item.stage).gives)
            except (Failed, Misconfigured):
                continue  # nobody can tell which version it is: a person sees it
            if (word := self.known.of(proposal)) is not None:
                await self.reviews.decide(item.review_id, CANCEL, word.by, word.said)

    async def _take_in(self) -> None:
        deliveries = await asyncio.to_thread(self.intake.poll, BATCH, POLL_SECONDS)
        items = [item for delivery in deliveries if (item := self._item(delivery))]
        while items and not self.life.ended.is_set():
            try:
                await self.reviews.request(items)
                await self._cancel(items)
                break
            except (Unavailable, Failed) as error:
                # What was polled is not polled again by this process, so it is held until the table takes it.
                self.trouble = error.message
                await asyncio.sleep(PAUSE_SECONDS)
        else:
            if items:
                return
        if deliveries:
            await asyncio.to_thread(self.intake.commit)

    def _item(self, delivery: Delivery) -> ReviewItem | None:
        try:
            return self.requested(self.pipeline, delivery)
        except Failed as error:
            self.life.say(error.message)
            return None

    async def _send_out(self) -> None:
        if not self.intake.owns(0):
            return
        place = topics.results(self.pipeline.name)
        sent = await asyncio.to_thread(self.intake.committed, place, 0)
        items = await self.reviews.decided_after(sent, BATCH)
        if not items:
            return
        causes = self._causes(items)
        if not causes:
            return
        if rows := [row for cause in causes for row in cause.rows]:
            await self.results.upsert(rows)  # 1. PostgreSQL: a repeat finds its own row
        records = [self._record(write) for cause in causes for write in cause.writes]
        offsets = [Offset(place, 0, items[len(causes) - 1].sequence, "")]
        # 2. Kafka: records and sequence together
        if await asyncio.to_thread(self.transactor.commit, records, offsets, self.intake):
            self._trace(items[: len(causes)])
            for note in (cause.note for cause in causes if cause.note):
                self.life.say(note)

    def _causes(self, items: Sequence[ReviewItem]) -> list[Causes]:
        """What the decisions cause, up to the first that cannot be sent: skipped, its document would be lost."""
        causes: list[Causes] = []
        for item in items:
            try:
                causes.append(self.decided(self.pipeline, self.codec, item))
            except (Failed, Misconfigured) as error:
                if not causes:
                    raise Unavailable("review", f"decision {item.sequence} cannot be sent: {error}") from error
                break
        return causes

    def _trace(self, items: Sequence[ReviewItem]) -> None:
        for item in items if self.tracing.traces.on else ():
            stage = self.pipeline.stage(item.stage)
            event = self.codec.decode(item.proposal, stage.gives)
            self.tracing.traces.reviewed(Place(self.pipeline, stage), event, item)

    def _record(self, write: Write) -> Record:
        return Record(write.topic, write.key, encode(self.codec, write.value), write.headers, write.partition)


async def _desk(life: Life, pipeline: Pipeline, requested: Requested, decided: Decided) -> None:
    kafka = life.settings.kafka.properties()
    await asyncio.to_thread(ensure, kafka, plan(pipeline), replication=life.settings.kafka.replication_factor)
    codec = codec_for(pipeline)
    schemas = Schemas(life.settings, codec)
    await schemas.tell(pipeline, pipeline.flow[-1].source)
    metrics = Metrics(pipeline.name, SERVICE)
    async with AsyncExitStack() as stack:
        url = life.settings.database_url.get_secret_value()
        database: Database = await stack.enter_async_context(open_database(url, life.instance))
        group = topics.group(pipeline.name, SERVICE)
        intake = Intake(kafka, group, [topics.review(pipeline.name)], life.settings.group_protocol)
        stack.push_async_callback(asyncio.to_thread, intake.close)
        identity = topics.transactional_id(pipeline.name, SERVICE, life.instance)
        transactor = Transactor(properties.transactional(kafka, identity), life.say)
        await asyncio.to_thread(transactor.open)
        desk = Desk(
            life=life,
            pipeline=pipeline,
            codec=codec,
            reviews=ReviewsTable(database, pipeline.name),
            results=ResultsTable(database, pipeline.name),
            intake=intake,
            transactor=transactor,
            requested=requested,
            decided=decided,
            tracing=await open_tracing(stack, life, pipeline.name, metrics),
        )
        ear = await stack.enter_async_context(following(KafkaLog(kafka, topics.cancelled(pipeline.name)), desk.told))
        await ear.whole()
        accounts = Accounts(metrics, Account(database, pipeline.name))
        app = Starlette(routes=list(routes(partial(health, desk, ear), accounts.exposition)))
        await stack.enter_async_context(serving(app, life.settings.health_port, life.settings.health_host))
        watcher = asyncio.create_task(schemas.watch())
        await desk.work()
        watcher.cancel()


def health(desk: Desk, ear: Following) -> Health:
    """What the desk says of itself."""
    weaker = ear.weaker() | ({"reviews": desk.trouble} if desk.trouble else {}) | desk.tracing.weaker()
    return Health(True, weaker, {"relay": desk.intake.owns(0)})
