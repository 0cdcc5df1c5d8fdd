"""Moves the audit's checkpoint: what records said is kept in tables, so that the records may be deleted.

    1. gather, as an audit does, from the checkpoint on: a part, where there is much
    2. learn schemas that were met and are not known, and gather again: a fact is kept as it was read
    3. nothing may be gone that no checkpoint accounts for: a fold would hide it
    4. a page for each document that was met; pages and checkpoint in one transaction, or none of it
A kill at any point leaves the checkpoint and the pages as they were before 4, or as they are after it. Of two folds at
once one is told that the checkpoint has moved, and has done nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.conservation.folding import Page, page_of
from shared.core.errors import Unavailable
from shared.core.event import Partition
from shared.database.accounts import AccountTables
from shared.runtime.auditing import Auditor, Gathered

PATIENCE = timedelta(days=1)
"""How long a record waits for its schema to be found; after that it is kept as what it is."""
ROUNDS = 1000
"""Parts of one fold: beyond that it goes on the next time."""


@dataclass(slots=True)
class Fold:
    """What a fold did."""

    records: int = 0
    """Records that the checkpoint has passed."""
    settled: int = 0
    """Documents that were done with."""
    open: int = 0
    """Documents that were met and are not."""


async def fold(auditor: Auditor) -> Fold:
    """Move the checkpoint to where the topics end now. Raises Overtaken, Unavailable."""
    done = Fold()
    tables = AccountTables(auditor.database, auditor.pipeline.name)
    for _ in range(ROUNDS):
        gathered = await auditor.gather(cut=True)  # 1
        if gathered.books.unread:
            await auditor.learn()  # 2
            gathered = await auditor.gather(cut=True)
        if gathered.deleted:  # 3
            raise Unavailable("audit", f"nothing is folded: {gathered.deleted[0].place}: {gathered.deleted[0].message}")
        pages, ends = pages_of(auditor, gathered), ends_of(gathered, datetime.now(UTC) - PATIENCE)
        moved = sum(end - gathered.checkpoint.get(part, 0) for part, end in ends.items())
        await tables.fold(gathered.checkpoint, ends, pages)  # 4
        done.records += moved
        done.settled += sum(page.settled for page in pages)
        done.open += sum(not page.settled for page in pages)
        if gathered.books.whole:
            break
    return done


def ends_of(gathered: Gathered, since: datetime) -> dict[Partition, int]:
    """How far the checkpoint may move: not past what cannot be read and is younger, for its schema may come.

    Pages may hold what lies behind it; it is read again, and then counts as it was read.
    """
    ends = {}
    for part, end in gathered.books.ends.items():
        young = [offset for offset, at in gathered.books.unread.get(part, {}).items() if at > since]
        ends[part] = max(min([end, *young]), gathered.checkpoint.get(part, 0))
    return ends


def pages_of(auditor: Auditor, gathered: Gathered) -> list[Page]:
    """A page for each document of which there is something new."""
    flow, known = auditor.flow(), {seen.place for seen in gathered.folded.facts}
    pages = (page_of(one, facts, gathered.kept, flow) for one, facts in gathered.books.documents.items())
    return [page for page in pages if page.settled or any(seen.place not in known for seen in page.facts)]
