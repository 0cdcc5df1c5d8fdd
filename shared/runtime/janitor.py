"""Deletes records that everybody is done with.

    1. the checkpoint is moved: from then on the tables have what the records said
    2. what the topics hold
    3. who needs what. Each bound only ever moves up, so one that was read a moment ago is too low at the worst:
       a. the progress of every group that reads there; a stage's own counts as 0 until it has committed something
       b. the checkpoint, and of documents that are not settled every record, both as they stood at one moment: so a
          dead letter that nobody has acted on stays, and whatever a replay may take in its place
       c. the journal's positions, and where there are webhooks theirs
       d. replays that are not done: letters, the records that re-enter in their place, where their ends are counted.
          One that is planned after this was read chooses only what b holds
       e. age
    4. the deletion is noted, and only then
    5. done
A group never loses what it is to read next: its committed offset is at most where it will go on, and 3a was at most
that when it was read. So after a group's first commit an offset that is missing stays what it is, a loss to be told. A
kill between 4 and 5 leaves a note of more than was deleted, never of less; the next run deletes it. Two at once delete
the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.event import Partition, Position
from shared.core.retention import Bound, Cut, cut, joined
from shared.core.shelves import doors
from shared.database.accounts import AccountTables, Folded
from shared.database.deletions import DeletionsTable
from shared.database.journal import JournalTable
from shared.database.notices import NoticesTable
from shared.kafka.reading import Reader
from shared.kafka.retention import Keeper
from shared.runtime.auditing import Auditor
from shared.runtime.folding import Fold, fold


@dataclass(frozen=True, slots=True)
class Swept:
    """What one run came to."""

    folded: Fold
    """What the audit's fold did."""
    cuts: Sequence[Cut]
    """Of each partition that holds anything: what was deleted, and who needs the rest."""

    @property
    def deleted(self) -> int:
        """Offsets that were deleted."""
        return sum(one.count for one in self.cuts)


@dataclass(frozen=True, slots=True)
class Janitor:
    """Sweeps one pipeline's topics."""

    auditor: Auditor
    """Reads what the tables are to keep."""
    keep: timedelta
    """Records that are younger stay in any case."""
    by: str
    """Who it is, for the note."""
    hooks: bool = False
    """There are webhooks, which have to be told before the records of an end go."""

    async def sweep(self, *, dry_run: bool = False) -> Swept:
        """Delete, or where it is a dry run say only what would be. Raises Overtaken, Unavailable."""
        folded = Fold() if dry_run else await fold(self.auditor)  # 1
        cuts = await self._cuts()  # 2, 3
        going = [one for one in cuts if one.count]
        if going and not dry_run:
            name, keeper = self.auditor.pipeline.name, self._keeper()
            await DeletionsTable(self.auditor.database, name).note(going, self.by)  # 4
            await asyncio.to_thread(keeper.delete, going)  # 5
        return Swept(folded, cuts)

    async def _cuts(self) -> list[Cut]:
        keeper, database, name = self._keeper(), self.auditor.database, self.auditor.pipeline.name
        spans = await asyncio.to_thread(keeper.spans)
        groups = await asyncio.to_thread(keeper.groups, spans)  # a
        folded = await AccountTables(database, name).unsettled()  # b
        positions = await JournalTable(database, name).positions()  # c
        replays = await asyncio.to_thread(keeper.replays)  # d
        young = await asyncio.to_thread(keeper.younger, spans, datetime.now(UTC) - self.keep)  # e
        read = {part: [Bound(positions.get(part, 0), "the journal")] for part in spans}
        told = await self._told(spans)
        bounds = joined(groups, needed(folded, spans), read, told, replays, young)
        return [cut(part, span.start, span.end, bounds[part]) for part, span in spans.items() if span.start < span.end]

    async def _told(self, spans: Mapping[Partition, object]) -> dict[Partition, list[Bound]]:
        if not self.hooks:
            return {}
        pipeline = self.auditor.pipeline
        positions = await NoticesTable(self.auditor.database, pipeline.name).positions()
        theirs = doors(pipeline, self.auditor.ends)
        return {part: [Bound(positions.get(part, 0), "the webhooks")] for part in spans if part[0] in theirs}

    def _keeper(self) -> Keeper:
        return Keeper(Reader(self.auditor.kafka), self.auditor.pipeline)


def needed(folded: Folded, spans: Mapping[Partition, object]) -> dict[Partition, list[Bound]]:
    """The checkpoint in each partition, and the first record of a document that is not settled."""
    found = {part: [Bound(folded.checkpoint.get(part, 0), "the audit's checkpoint")] for part in spans}
    first: dict[Partition, Bound] = {}
    for seen in folded.facts:
        place = Position.parse(seen.place)
        part = (place.topic, place.partition)
        if part in found and (part not in first or place.offset < first[part].offset):
            first[part] = Bound(place.offset, f"document {seen.document}, which has not ended")
    for part, bound in first.items():
        found[part].append(bound)
    return found
