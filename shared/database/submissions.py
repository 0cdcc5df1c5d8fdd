"""What the ingest door accepted, for one pipeline: the newest submission of each document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from psycopg.rows import DictRow

from shared.database.pool import Database
from shared.ports import Submitted

FIND = "select * from submissions where pipeline = %s and document_id = %s"

BATCH = "select * from submissions where pipeline = %s and batch_id = %s order by submitted_at, document_id limit %s"

ACCEPT = """
insert into submissions (pipeline, document_id, tenant, version, sha256, batch_id, filename, submitted_at)
values (%(pipeline)s, %(document_id)s, %(tenant)s, %(version)s, %(sha256)s, %(batch_id)s, %(filename)s,
    %(submitted_at)s)
on conflict (pipeline, document_id) do update set
    (tenant, version, sha256, batch_id, filename, submitted_at)
    = (excluded.tenant, excluded.version, excluded.sha256, excluded.batch_id, excluded.filename, excluded.submitted_at)
where excluded.version > submissions.version
"""


@dataclass(frozen=True, slots=True)
class SubmissionsTable:
    """`Submissions` on PostgreSQL."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose submissions."""

    async def find(self, document_id: str) -> Submitted | None:
        """The newest accepted submission of the document."""
        found = await self.database.rows(FIND, [self.pipeline, document_id])
        return submitted(found[0]) if found else None

    async def accept(self, submission: Submitted) -> None:
        """Note it unless one as new is noted."""
        async with self.database.work() as connection:
            await connection.execute(ACCEPT, {"pipeline": self.pipeline} | asdict(submission))

    async def batch(self, batch_id: str, limit: int = 1000) -> Sequence[Submitted]:
        """What was accepted under a batch, oldest first."""
        return [submitted(row) for row in await self.database.rows(BATCH, [self.pipeline, batch_id, limit])]


def submitted(row: DictRow) -> Submitted:
    """A row as the ports know it."""
    return Submitted(**{name: value for name, value in row.items() if name != "pipeline"})
