"""Records as they come, in portions, for services that keep positions of their own in PostgreSQL."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.codec.avro import AvroCodec
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.event import Partition
from shared.core.shelves import Shelf
from shared.core.timeline import Entry, entry_of
from shared.kafka.reading import Tail
from shared.runtime.schemas import Schemas

MOST = 1000
"""Records of one transaction."""
MOST_BYTES = 4_000_000
"""Their size, about."""
FETCHED_AHEAD = 8_192
"""Kilobytes: it runs beside everything else, and has no hurry."""
PAUSE_SECONDS = 1.0
"""Pause after something failed that heals."""


def gather(tail: Tail) -> list[Delivery]:
    """What is there, up to what one transaction takes."""
    records: list[Delivery] = []
    size = 0
    while len(records) < MOST and size < MOST_BYTES:
        found = [one for one in tail.poll(0.2) if isinstance(one, Delivery)]
        if not found:
            break
        records += found
        size += sum(len(one.value or b"") for one in found)
    return records


async def portions(
    kafka: Mapping[str, Any], starts: Mapping[Partition, int], ended: asyncio.Event
) -> AsyncGenerator[tuple[list[Delivery], Mapping[Partition, int]], None]:
    """What comes from there on, none too, until `ended`; each with where the ends of partitions were reached by then.

    The next ones are fetched while these are worked on. To be closed by whoever leaves it early (`aclosing`).
    """
    with Tail(kafka, starts, ahead=FETCHED_AHEAD) as tail:
        gathering = asyncio.create_task(asyncio.to_thread(gather, tail))
        try:
            while not ended.is_set():
                records = await gathering
                # As they are now: what is fetched from here on is in the next portion.
                reached = dict(tail.ends)
                gathering = asyncio.create_task(asyncio.to_thread(gather, tail))
                yield records, reached
        finally:
            # A client that is closed while another thread polls it ends the process.
            await asyncio.wait({gathering})


def after(records: Sequence[Delivery]) -> dict[Partition, int]:
    """The positions behind them."""
    return {(one.position.topic, one.position.partition): one.position.offset + 1 for one in records}


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads records as entries of timelines."""

    codec: AvroCodec
    """Reads the events."""
    schemas: Schemas
    """Finds schemas that were met and are not known."""
    shelves: Mapping[str, Shelf]
    """What the records of each topic are."""
    asked_for: frozenset[type[Any]] = frozenset()
    """Events that stages give which ask models: the calls in them are their own."""

    async def entries(self, records: Sequence[Delivery]) -> list[Entry]:
        """What each tells."""
        found = [self._entry(record) for record in records]
        if self.codec.missing:
            await self.schemas.look()
            found = [self._entry(record) for record in records]
            # What is nowhere now is taken as what it is.
            self.codec.missing.clear()
        return found

    def _entry(self, record: Delivery) -> Entry:
        shelf = self.shelves[record.position.topic]
        try:
            event = self.codec.decode(record.value, shelf.takes) if record.value and shelf.takes else None
        except Failed as error:
            event = error
        return entry_of(record, shelf, event, fresh_calls=type(event) in self.asked_for)
