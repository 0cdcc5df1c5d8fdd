"""The statements of the table of calls follow the rules of the core, whatever happens in whatever order."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import psycopg
import pytest

from shared.core import ledger as rules
from shared.core.ledger import Begun, Intent, Recorded, Row, State
from shared.database.ledger import CallsTable
from shared.database.pool import Database, open_database
from tests.ledgers import again, ended, intent_of

ENDS = (State.ACCEPTED, State.REJECTED, State.REJECTED, State.FAILED, State.FAILED)


def same(mine: Begun, theirs: object) -> bool:
    """Whether both say the same; of a found one the table has no tokens and no cost."""
    assert isinstance(theirs, Begun)
    if mine.found is None or theirs.found is None:
        return mine == theirs
    return mine.repeat == theirs.repeat and plain(mine.found) == plain(theirs.found)


def plain(record: Recorded) -> Recorded:
    """Without what the table keeps as sums, or does not give."""
    return replace(record, input_tokens=0, output_tokens=0, cost_usd=0.0, at=None)


@pytest.mark.parametrize("seed", range(12))
async def test_the_statements_follow_the_rules_through_any_history(database: Database, seed: int) -> None:
    dice, table = random.Random(seed), CallsTable(database, "one")
    rows: dict[str, Row] = {}
    ends: dict[int, Recorded] = {}
    tries: list[Intent] = [intent_of(f"{seed} {number}") for number in range(3)]
    for _ in range(60):
        one = dice.choice(tries)
        if dice.random() < 0.3:
            one = again(one, dice.choice(["", "documents.analyze/0/8", "documents.analyze/0/9"]))
            tries.append(one)
        if dice.random() < 0.5:
            rows[one.fingerprint], mine = rules.begin(rows.get(one.fingerprint), one)
            [theirs] = await table.begin([one])
            assert same(mine, theirs), one
        else:
            # A try ends in one way, however often that is told.
            record = ends.setdefault(one.ticket, ended(one, dice.choice(ENDS), f'"{one.ticket}"'))
            rows[one.fingerprint], stands = rules.end(rows.get(one.fingerprint), record)
            [told] = await table.end([record])
            assert isinstance(told, Recorded)
            assert plain(told) == plain(stands)
    for name, row in rows.items():
        [kept] = await database.rows("select * from calls where fingerprint = %s", [name])
        assert (kept["state"], kept["ticket"]) == (row.record.state, row.record.intent.ticket)
        assert (kept["repeats"], set(kept["ended"])) == (row.repeats, row.ended)
        assert kept["cost_usd"] == pytest.approx(row.cost_usd)
        assert sorted(kept["pending"]) == sorted(row.pending)


async def test_two_processes_that_begin_the_same_requests_are_answered_without_waiting_for_a_call(url: str) -> None:
    intents = [intent_of(f"both {number}") for number in range(200)]
    async with open_database(url, "old") as one, open_database(url, "new") as other:
        old, new = CallsTable(one, "old"), CallsTable(other, "new")
        # In opposite orders: were the rows locked as they come, the two would block each other for ever.
        firsts, seconds = await asyncio.gather(
            old.begin(intents), new.begin([again(intent) for intent in reversed(intents)])
        )
        repeats = [begun.repeat for begun in (*firsts, *seconds) if isinstance(begun, Begun)]
        assert repeats.count(True) == repeats.count(False) == 200
        first, second = ended(intents[0], result='"old"'), ended(again(intents[0]), result='"new"')
        await old.end([first])
        [stands] = await new.end([second])
    assert isinstance(stands, Recorded)
    assert stands.result == '"old"'


async def test_one_row_that_is_refused_stands_alone(database: Database) -> None:
    table = CallsTable(database, "one")
    intents = [intent_of(f"refused {number}") for number in range(5)]
    # Half a character: what Python can hold and no database.
    intents[3] = replace(intents[3], task="\ud800")
    said = await table.begin(intents)
    assert [isinstance(one, Begun) for one in said] == [True, True, True, False, True]
    told = await table.end([ended(intent) for intent in intents])
    assert [isinstance(one, Recorded) for one in told] == [True, True, True, False, True]


async def test_costs_can_be_asked_by_document(database: Database, url: str) -> None:
    table, one = CallsTable(database, "analyze-1"), intent_of("costs")
    await table.begin([one])
    await table.end([ended(one, State.REJECTED)])
    second = again(one, "documents.analyze/0/9")
    await table.begin([second])
    await table.end([ended(second)])
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select tenant, stage, model, instance, input_tokens, output_tokens, cost_usd, ended_at >= started_at"
            " from calls where pipeline = 'documents' and document_id = 'd1'"
        ).fetchone()
    assert row == ("acme", "analyze", "sim-large", "analyze-1", 200, 40, pytest.approx(0.008), True)
