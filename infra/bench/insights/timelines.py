"""Whether every document's timeline ends in exactly one state: an end, or one in which a person is asked."""

import asyncio
from collections.abc import Collection

from infra.bench.bench import Bench
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from shared.database.pool import open_database
from shared.pipelines.documents import DOCUMENTS

ENDS = """
select count(*) filter (where last in ('waiting', 'in-retry', 'parked')) as unended,
    count(*) filter (where ends > 1 or (ends = 1 and last in ('dead-lettered', 'in-review'))) as ended_twice,
    count(*) as documents
from (
    select document_id, count(*) filter (where kind = 'ended') as ends,
        (array_agg(state order by at desc, depth desc, topic desc, partition desc, "offset" desc))[1] as last
    from journal_entries where pipeline = %s and document_id = any(%s) and state <> '' group by document_id
) each
"""
SECONDS = 120.0


def timelines(bench: Bench, herd: Herd, names: Collection[str]) -> Figures:
    """Wait until the journal has them all, and count those that have no end, and those that have two."""

    async def look() -> tuple[int, int]:
        async with open_database(bench.parts.database or "", "bench") as database:
            [row] = await database.rows(ENDS, [DOCUMENTS.name, list(names)])
        # Whom the journal has not met has no end either.
        return len(names) - row["documents"] + row["unended"], row["ended_twice"]

    herd.reaches(lambda: asyncio.run(look())[0] == 0, SECONDS)
    unended, twice = asyncio.run(look())
    return {"unended": unended, "ended_twice": twice}
