"""The table of submissions: the newest of each document."""

from dataclasses import replace

from shared.database.pool import Database
from shared.database.submissions import SubmissionsTable
from shared.ports import Submitted
from tests.database.rows import NOW

FIRST = Submitted(
    document_id="d1", tenant="acme", version=1, sha256="a" * 64, batch_id="march", filename="a.pdf", submitted_at=NOW
)


async def test_a_submission_comes_back_as_it_was_accepted(database: Database) -> None:
    table = SubmissionsTable(database, "documents")
    assert await table.find("d1") is None
    await table.accept(FIRST)
    assert await table.find("d1") == FIRST
    assert await SubmissionsTable(database, "tickets").find("d1") is None


async def test_the_newest_version_stays_whatever_comes_later(database: Database) -> None:
    table = SubmissionsTable(database, "documents")
    second = replace(FIRST, version=2, sha256="b" * 64)
    for submission in (second, FIRST, replace(second, filename="late.pdf")):
        await table.accept(submission)
    assert await table.find("d1") == second


async def test_a_batch_lists_its_own_oldest_first(database: Database) -> None:
    table = SubmissionsTable(database, "documents")
    late = replace(FIRST, document_id="d0", submitted_at=NOW.replace(minute=5))
    for submission in (late, FIRST, replace(FIRST, document_id="d9", batch_id="april")):
        await table.accept(submission)
    assert await table.batch("march") == [FIRST, late]
    assert await table.batch("march", 1) == [FIRST]
