"""The audit's tables on PostgreSQL: what is found behind a fold is what was found before it."""

import asyncio
from dataclasses import replace

import pytest

from shared.core.conservation.facts import Seen
from shared.core.conservation.folding import Page, add_tally, page_of
from shared.core.conservation.verdict import Question, Verdict, verdict
from shared.core.errors import PenstockError
from shared.core.shelves import Kind
from shared.database.accounts import AccountTables
from shared.database.pool import Database
from shared.database.positions import Overtaken
from shared.database.results import ResultsTable
from tests.database.rows import row
from tests.unit.test_conservation import FLOW, PLANTS, World, each_fate, one

PIPELINE = "documents"
PLACE = ("documents.ingest", 0)
TABLES = ("results", "reviews", "submissions", "audit_documents", "audit_checkpoints")


class Behind:
    """A world, its tables, and what of it was folded."""

    def __init__(self, database: Database, world: World) -> None:
        self.database, self.world = database, world
        self.tables = AccountTables(database, PIPELINE)
        self.before: dict[str, Seen] = {}

    async def rows(self, *tables: str) -> None:
        """Bring the world's results, reviews and submissions into their tables, and empty these besides."""
        async with self.database.work() as connection:
            for table in ("results", "reviews", "submissions", *tables):
                await connection.execute(f"delete from {table}")  # type: ignore[call-overload]
            for place, decision in self.world.reviews.items():
                await connection.execute(
                    "insert into reviews values (%s, %s, %s, '', '', '', '', now(), %s, '', null, '', %s)",
                    [place, PIPELINE, "d1", decision.decision, decision.sequence or None],
                )
            for document, batch in self.world.accepted.items():
                await connection.execute(
                    "insert into submissions values (%s, %s, '', 1, '', %s, '', now())", [PIPELINE, document, batch]
                )
        stored = [row(document_id=document, version=version) for document, version in self.world.stored.items()]
        if stored:
            await ResultsTable(self.database, PIPELINE).upsert(stored)

    def pages(self) -> list[Page]:
        """A page of each document of the world."""
        facts: dict[str, list[Seen]] = {}
        for seen in self.world.seen:
            facts.setdefault(seen.document, []).append(seen)
        return [page_of(document, found, self.world.kept(), FLOW) for document, found in facts.items()]

    async def fold(self) -> None:
        """Fold everything that stands in the world now."""
        await self.tables.fold(await self.tables.checkpoint(), {PLACE: len(self.world.seen)}, self.pages())
        self.before = {seen.place: seen for seen in self.world.seen}

    async def judge(self, batch: str = "") -> Verdict:
        """What an audit says behind the fold."""
        accepted = await self.tables.accepted()
        facts: dict[str, list[Seen]] = {}
        for seen in self.world.seen:
            if seen.place not in self.before:
                facts.setdefault(seen.document, []).append(seen)
        now = {seen.place: seen for seen in self.world.seen}
        letters = {seen.place: seen.state for seen in self.world.seen if seen.kind is Kind.LETTER}
        folded = await self.tables.folded(facts.keys() | accepted.keys(), letters, batch)
        for seen in folded.facts:
            progress = now.get(seen.place) or self.before[seen.place]
            state = letters.get(seen.place, "") if seen.kind is Kind.LETTER else seen.state
            standing = replace(seen, sure=progress.sure, maybe=progress.maybe, state=state)
            facts.setdefault(seen.document, []).append(standing)
        requests = [seen.place for found in facts.values() for seen in found if seen.kind is Kind.REVIEW]
        stored, reviews = await self.tables.stored(facts), await self.tables.reviews(requests)
        kept = replace(self.world.kept(), stored=stored, reviews=reviews, accepted=accepted)
        found = verdict(facts, kept, FLOW, Question(batch))
        for tally, times in folded.tallies:
            add_tally(found, tally, times)
        return found


@pytest.fixture
def behind(database: Database) -> Behind:
    return Behind(database, each_fate())


async def test_an_audit_behind_a_fold_says_what_it_said_before(behind: Behind) -> None:
    before = behind.world.judge()
    await behind.rows()
    await behind.fold()
    assert await behind.judge() == before
    await behind.fold()
    assert await behind.judge() == before
    assert (await behind.judge("b2")).documents == 0
    assert (await behind.judge("b1")).published == before.published


async def test_plants_are_found_whether_they_were_made_before_the_fold_or_after_it(database: Database) -> None:
    for number, (kind, document, plant) in enumerate(PLANTS):
        behind = Behind(database, each_fate())
        plant(behind.world, document)
        await behind.rows(*TABLES)
        await behind.fold()
        found = await behind.judge()
        assert same(found, behind.world.judge()), number
        assert (kind, document) in named(found), number
        behind = Behind(database, each_fate())
        await behind.rows(*TABLES)
        await behind.fold()
        records = len(behind.world.seen)
        plant(behind.world, document)
        await behind.rows()
        found = await behind.judge()
        if len(behind.world.seen) < records:
            # A record that is gone and was folded: what it said is kept, and it may go.
            assert found.holds, number
        else:
            assert named(found) == named(behind.world.judge()), number


def named(found: Verdict) -> set[tuple[str, str]]:
    """Kinds of findings and documents."""
    return {(one.kind, one.document) for one in found.findings}


def same(one: Verdict, other: Verdict) -> bool:
    """Whether two say the same; which of several records stands for a finding hangs on the order of reading."""
    return named(one) == named(other) and replace(one, findings=[]) == replace(other, findings=[])


async def test_two_folds_at_once_are_one(behind: Behind) -> None:
    await behind.rows()
    begin, end = await behind.tables.checkpoint(), {PLACE: 5}
    folds = [behind.tables.fold(begin, end, behind.pages()) for _ in range(3)]
    done = await asyncio.gather(*folds, return_exceptions=True)
    assert [type(one) for one in done if one] == [Overtaken, Overtaken]
    assert await behind.tables.checkpoint() == end


async def test_a_fold_that_fails_half_way_has_done_nothing(behind: Behind) -> None:
    await behind.rows()
    before = behind.world.judge()
    pages = behind.pages()
    broken = [*pages, replace(pages[0], reviews=(None,), version=2**70)]  # type: ignore[arg-type]
    with pytest.raises(PenstockError):
        await behind.tables.fold({}, {PLACE: 5}, broken)
    assert await behind.tables.checkpoint() == {}
    assert await behind.judge() == before


async def test_tables_that_were_emptied_meanwhile_are_noticed(behind: Behind) -> None:
    await behind.rows()
    await behind.fold()
    begin = await behind.tables.checkpoint()
    await behind.rows(*TABLES)
    with pytest.raises(Overtaken):
        await behind.tables.fold(begin, {PLACE: 99}, behind.pages())
    behind.before = {}
    await behind.fold()
    assert await behind.judge() == behind.world.judge()


async def test_a_name_that_postgresql_cannot_hold_has_a_page_of_its_own(behind: Behind) -> None:
    for name in ("a\0", "a\N{REPLACEMENT CHARACTER}", "a", "\N{EURO SIGN}" * 90_000, "\N{EURO SIGN}" * 90_001):
        behind.world.walk(name, 1)
    before = behind.world.judge()
    await behind.rows()
    await behind.fold()
    assert same(await behind.judge(), before)
    again = one(behind.world, "a\0", Kind.INPUT, "extract")
    behind.world.put(Kind.INPUT, "classify", "a\0", event_id=again.token)
    assert named(await behind.judge()) == named(behind.world.judge())
