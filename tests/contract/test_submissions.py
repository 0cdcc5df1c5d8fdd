"""What every store of submissions does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.ports import Submissions, Submitted

NOW = datetime(2026, 3, 1, 12, 0, 0, 123000, UTC)
FIRST = Submitted("d1", "acme", 1, "ab" * 32, "march", "invoice.pdf", NOW)


async def test_what_nobody_handed_in_is_not_found(submissions: Submissions) -> None:
    assert await submissions.find("d1") is None
    assert list(await submissions.batch("march")) == []


async def test_a_submission_comes_back_as_it_was_and_twice_is_once(submissions: Submissions) -> None:
    await submissions.accept(FIRST)
    await submissions.accept(replace(FIRST, filename="again.pdf"))
    assert await submissions.find("d1") == FIRST


async def test_the_newest_version_stands_in_whatever_order_they_come(submissions: Submissions) -> None:
    newest = replace(FIRST, version=3, filename="third.pdf")
    for submission in (replace(FIRST, version=2), newest, FIRST):
        await submissions.accept(submission)
    assert await submissions.find("d1") == newest


async def test_a_batch_lists_its_own_oldest_first(submissions: Submissions) -> None:
    mine = [replace(FIRST, document_id=f"d{n}", submitted_at=NOW - timedelta(minutes=n)) for n in range(3)]
    for submission in (*mine, replace(FIRST, document_id="other", batch_id="april")):
        await submissions.accept(submission)
    assert list(await submissions.batch("march")) == mine[::-1]
    assert list(await submissions.batch("march", limit=1)) == [mine[2]]
