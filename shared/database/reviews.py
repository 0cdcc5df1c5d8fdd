"""The table of reviews of one pipeline, which is also the outbox of their decisions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.ports import ReviewItem

REQUEST = """
insert into reviews (review_id, pipeline, document_id, stage, failure, reason, proposal, requested_at)
values (%(review_id)s, %(pipeline)s, %(document_id)s, %(stage)s, %(failure)s, %(reason)s, %(proposal)s,
    %(requested_at)s)
on conflict (review_id) do nothing
"""

WAITING = """
select * from reviews where pipeline = %s and sequence is null order by requested_at, review_id limit %s
"""

OF = "select * from reviews where pipeline = %s and document_id = %s order by requested_at, review_id"

GET = "select * from reviews where pipeline = %s and review_id = %s"

IN_TURN = "select pg_advisory_xact_lock(hashtextextended('penstock reviews ' || %s, 0))"

DECIDE = """
update reviews set decision = %(decision)s, decided_by = %(by)s, note = %(note)s, decided_at = now(),
    sequence = nextval('review_decisions')
where pipeline = %(pipeline)s and review_id = %(review_id)s and sequence is null
returning *
"""

DECIDED_AFTER = "select * from reviews where pipeline = %s and sequence > %s order by sequence limit %s"


@dataclass(frozen=True, slots=True)
class ReviewsTable:
    """`Reviews` on PostgreSQL."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose reviews."""

    async def request(self, items: Sequence[ReviewItem]) -> None:
        """Note requests; one that is known already is left as it is."""
        async with self.database.work() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.executemany(REQUEST, [asdict(item) | {"pipeline": self.pipeline} for item in items])

    async def waiting(self, limit: int) -> Sequence[ReviewItem]:
        """Undecided ones, oldest first."""
        return [item(row) for row in await self.database.rows(WAITING, [self.pipeline, limit])]

    async def of(self, document_id: str) -> Sequence[ReviewItem]:
        """Those of one document, decided or not, oldest first."""
        return [item(row) for row in await self.database.rows(OF, [self.pipeline, document_id])]

    async def get(self, review_id: str) -> ReviewItem | None:
        """The review of that id."""
        found = await self.database.rows(GET, [self.pipeline, review_id])
        return item(found[0]) if found else None

    async def decide(self, review_id: str, decision: str, by: str, note: str) -> ReviewItem | None:
        """Decide once: gives the item as decided now, or None where it is unknown or decided already.

        1. One decider of the pipeline at a time. A number drawn outside the lock could be committed after a higher one
           was read, and the relay, which asks for what comes after the highest it has sent, would never see it.
        2. The number is drawn and the decision written.
        3. Committed; the lock is let go only after the decision can be seen.
        """
        values = {"pipeline": self.pipeline, "review_id": review_id, "decision": decision, "by": by, "note": note}
        async with self.database.work() as connection, connection.transaction():
            await connection.execute(IN_TURN, [self.pipeline])
            found = await (await connection.execute(DECIDE, values)).fetchone()
        return item(found) if found else None

    async def decided_after(self, sequence: int, limit: int) -> Sequence[ReviewItem]:
        """Decisions beyond the sequence, in the order in which they became visible."""
        return [item(row) for row in await self.database.rows(DECIDED_AFTER, [self.pipeline, sequence, limit])]


def item(row: DictRow) -> ReviewItem:
    """A row as the ports know it."""
    return ReviewItem(**row | {"sequence": row["sequence"] or 0})
