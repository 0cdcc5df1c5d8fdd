"""Follows the ends of documents, and notes for each hook what it is to be told.

    poll -> facts and messages -> one transaction with the positions -> poll …

A batch is finished when nothing of it is on its way and nothing new came of it for a while. Topics are read side by
side, so what is known may lack what stands in another one. Before a batch is told, therefore, Kafka is asked where the
topics end, and they are read to there; if the batch rests even then, no record that was written before says otherwise.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.core.delivery import Delivery
from shared.core.errors import Failed, Unavailable
from shared.core.event import Partition
from shared.core.graph import Pipeline
from shared.core.shelves import ENDS, Kind
from shared.core.timeline import Entry
from shared.core.webhooks.hook import Hook
from shared.core.webhooks.notice import BATCH, OPEN, Count, batch_notice, document_notice
from shared.database.deliveries import Message
from shared.database.notices import NoticesTable, Standing
from shared.database.positions import Overtaken
from shared.kafka.dead_letters import REPLAYED
from shared.kafka.reading import Reader
from shared.observe.metrics import Metrics
from shared.runtime.notifying.news import News
from shared.runtime.process import Life
from shared.runtime.tailing import PAUSE_SECONDS, Reading, after, portions

LOOK_SECONDS = 0.5
"""How often it is looked which batches are finished."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """Batches that seem to be finished, and how far is to be read before they are told."""

    batches: Sequence[str]
    """Their names."""
    ends: Mapping[Partition, int]
    """Where the topics ended when they seemed to be."""


@dataclass(slots=True)
class Noticing:
    """One running reader."""

    life: Life
    pipeline: Pipeline
    reading: Reading
    table: NoticesTable
    metrics: Metrics
    hooks: Sequence[Hook]
    since: Mapping[str, datetime]
    """From when on each hook is told."""
    kafka: Mapping[str, Any]
    news: News
    """Told when there is something to deliver."""
    quiet: float = 5.0
    """Seconds for which nothing new came of a batch that is finished."""
    trouble: str = ""
    """What keeps it from working at the moment, in one sentence."""
    _positions: dict[Partition, int] = field(default_factory=dict)
    _followed: frozenset[Partition] = frozenset()
    _barrier: Barrier | None = None
    _looked: float = 0.0

    async def work(self) -> None:
        """Follow the topics until the process should end."""
        while not self.life.ended.is_set():
            try:
                await self._follow()
            except Overtaken as error:
                self.life.say(str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            except (Unavailable, Failed) as error:
                await self._wait(error.message)

    async def _wait(self, said: str) -> None:
        if self.trouble != said:
            self.life.say(said)
        self.trouble = said
        await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self) -> None:
        reader, self._barrier = Reader(self.kafka), None
        self._positions = await self.table.positions()
        spans = await asyncio.to_thread(reader.spans, list(self.reading.shelves))
        starts = {part: max(self._positions.get(part, 0), span.start) for part, span in spans.items()}
        self._followed = frozenset(starts)
        async with aclosing(portions(self.kafka, starts, self.life.ended)) as coming:
            async for records, reached in coming:
                if records:
                    await self._keep(records)
                self.trouble = ""
                await self._batches(reader, reached)

    async def _keep(self, records: Sequence[Delivery]) -> None:
        entries = await self.reading.entries(records)
        facts = [fact for entry in entries if (fact := fact_of(entry, self.reading.shelves[entry.topic].kind))]
        messages = [message for entry in entries for message in self._of_document(entry)]
        end = after(records)
        begin = {part: self._positions.get(part) for part in end}
        try:
            await self.table.write(facts, messages, begin, end)
        except Failed as error:
            await self._keep_less(records, error)
            return
        self._positions |= end
        if messages:
            self.news.tell()
        behind = (datetime.now(UTC) - records[-1].appended_at).total_seconds()
        self.metrics.notify_behind().set(max(behind, 0))

    async def _keep_less(self, records: Sequence[Delivery], error: Failed) -> None:
        """What PostgreSQL refuses is found by halves and passed over: one record must never stop all the others."""
        half = len(records) // 2
        if half:
            await self._keep(records[:half])
            await self._keep(records[half:])
            return
        place = records[0].position
        self.metrics.trouble(f"{place} is told to nobody: {error.message}")
        part = (place.topic, place.partition)
        await self.table.write((), (), {part: self._positions.get(part)}, {part: place.offset + 1})
        self._positions[part] = place.offset + 1

    def _of_document(self, entry: Entry) -> list[Message]:
        notice = document_notice(self.pipeline.name, entry)
        if notice is None:
            return []
        return [
            Message(hook.name, notice.id, notice.type, notice.subject, hook.words.body(notice))
            for hook in self.hooks
            if hook.wants(notice) and self.since[hook.name] <= notice.at
        ]

    async def _batches(self, reader: Reader, reached: Mapping[Partition, int]) -> None:
        """Tell the batches that are finished, once it is sure that they are."""
        if self._barrier is None:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return
            self._looked = time.monotonic()
            if due := await self.table.due(self.quiet):
                spans = await asyncio.to_thread(reader.spans, list(self.reading.shelves))
                if new := spans.keys() - self._followed:
                    raise Unavailable("kafka", f"{min(new)[0]} has more partitions than before: they are read now")
                self._barrier = Barrier(due, {part: span.end for part, span in spans.items()})
            return
        barrier = self._barrier
        if all(end <= max(self._positions.get(part, 0), reached.get(part, 0)) for part, end in barrier.ends.items()):
            self._barrier = None
            told = [
                await self.table.tell(batch, self.quiet, self._positions, self._of_batch) for batch in barrier.batches
            ]
            if any(told):
                self.news.tell()

    def _of_batch(self, batch: str, round_: int, counts: Sequence[Count]) -> list[Message]:
        ended = max(count.last_at for count in counts)
        telling = partial(batch_notice, self.pipeline.name, batch, round_, counts)
        return [
            Message(hook.name, notice.id, notice.type, notice.subject, hook.words.body(notice))
            for hook in self.hooks
            if BATCH in hook.on and self.since[hook.name] <= ended and (notice := telling(hook.tenants))
        ]


def fact_of(entry: Entry, kind: Kind) -> Standing | None:
    """What an entry says of a document of a batch; None where it says nothing of one."""
    if not entry.batch_id or not entry.document_id:
        return None
    if kind is Kind.NOTE:
        if entry.detail.get("action") != REPLAYED:
            return None
        # Of a note and an end of the same moment the end came later.
        return _standing(entry, OPEN, -1)
    return _standing(entry, entry.state if kind in ENDS else OPEN, entry.depth)


def _standing(entry: Entry, state: str, depth: int) -> Standing:
    failed = state not in (OPEN, "stored")
    return Standing(
        batch_id=entry.batch_id,
        document_id=entry.document_id,
        state=state,
        stage=entry.stage if failed else "",
        failure=entry.failure if failed else "",
        tenant=str(entry.detail.get("tenant", "")),
        at=entry.at,
        depth=depth,
        topic=entry.topic,
        partition=entry.partition,
        offset=entry.offset,
    )
