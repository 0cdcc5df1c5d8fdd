"""What was spent, by whatever an operator asks for, on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from shared.core.ledger import Intent, Recorded, State
from shared.database.ledger import CallsTable
from shared.database.pool import Database
from shared.database.results import ResultsTable
from shared.database.spending import BY, Account, Line, Wanted
from tests.database.rows import ROW
from tests.ledgers import again, intent_of

MAY = datetime(2026, 5, 1, 23, 59, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def intent(document: str, *, tenant: str = "acme", kind: str = "", at: datetime = MAY) -> Intent:
    one = intent_of(f"{document} {tenant}")
    scope = replace(one.scope, document_id=document, tenant=tenant)
    return replace(one, scope=scope, document_type=kind, model="sim-large", at=at)


def call(one: Intent, cost: float, state: State = State.ACCEPTED, *, unsure: bool = False) -> Recorded:
    used = {"cached_tokens": 60, "written_tokens": 10, "reasoning_tokens": 5, "unsure": unsure}
    return Recorded(one, state, "{}", "", 100, 20, cost, 1, MAY, **used)  # type: ignore[arg-type]


async def test_failed_unsure_and_pending_calls_are_told_apart(database: Database) -> None:
    table, account = CallsTable(database, "one"), Account(database, "documents")
    first = intent("d1")
    await table.begin([first])
    await table.end([call(first, 0.01, State.FAILED, unsure=True)])
    second = again(first)
    await table.begin([second])
    third = again(second)
    await table.begin([third])
    await table.end([call(third, 0.02)])
    assert await account.total() == Line(
        documents=1,
        calls=2,
        input_tokens=200,
        cached_tokens=120,
        written_tokens=20,
        output_tokens=40,
        reasoning_tokens=10,
        failed_tokens=120,
        cost_usd=0.03,
        failed_usd=0.01,
        unsure_usd=0.01,
        unsure_calls=2,
    )
    assert (await account.total()).sure_usd == 0.02
    told = {(row["ticket"], row["pending"]) for row in await account.unsure()}
    assert told == {(first.ticket, False), (second.ticket, True)}
    # The second one's end comes after all, out of a spool: nothing is doubtful about it any more.
    for _ in range(2):
        await table.end([call(second, 0.02)])
    total = await account.total()
    assert (total.unsure_calls, total.calls, total.cost_usd) == (1, 3, 0.05)
    assert [row["ticket"] for row in await account.unsure(Wanted(documents=["d1"]))] == [first.ticket]
    assert await account.unsure(Wanted(tenant="nobody")) == []


async def test_it_is_broken_down_by_whatever_is_asked_for(database: Database) -> None:
    table, account = CallsTable(database, "one"), Account(database, "documents")
    calls = [
        call(intent("d1", kind="invoice"), 0.01),
        call(intent("d2", at=JUNE), 0.02),
        call(intent("d3", tenant="<b>\u202e\\", kind="contract", at=JUNE), 0.04),
    ]
    step = call(intent("d4"), 7.0)
    other = call(intent("d5"), 5.0)
    scope = replace(other.intent.scope, pipeline="others")
    calls += [replace(step, intent=replace(step.intent, model=""))]
    calls += [replace(other, intent=replace(other.intent, scope=scope))]
    await table.end(calls)
    await ResultsTable(database, "documents").upsert([replace(ROW, document_id="d2", document_type="resume")])

    async def costs(*names: str, wanted: Wanted | None = None) -> list[tuple[object, ...]]:
        lines = await account.by(names, wanted or Wanted())
        return [(*line.of.values(), line.cost_usd) for line in lines]

    assert await costs("type") == [("contract", 0.04), ("resume", 0.02), ("invoice", 0.01)]
    assert await costs("tenant") == [("<b>\u202e\\", 0.04), ("acme", 0.03)]
    assert await costs("document") == [("d3", 0.04), ("d2", 0.02), ("d1", 0.01)]
    assert await costs("day") == [("2026-05-01", 0.01), ("2026-06-01", 0.06)]
    assert await costs("day", "tenant", wanted=Wanted(tenant="acme")) == [
        ("2026-05-01", "acme", 0.01),
        ("2026-06-01", "acme", 0.02),
    ]
    assert await costs("model", wanted=Wanted(since=date(2026, 6, 1))) == [("sim-large", 0.06)]
    assert await costs("model", wanted=Wanted(until=date(2026, 5, 1))) == [("sim-large", 0.01)]
    assert await costs("model", wanted=Wanted(documents=["d1", "d3"])) == [("sim-large", 0.05)]
    for name in BY:
        assert round(sum(float(str(line[-1])) for line in await costs(name)), 9) == 0.07


async def test_a_call_that_is_being_made_is_not_yet_unsure(database: Database) -> None:
    table, account = CallsTable(database, "one"), Account(database, "documents")
    await table.begin([intent("d1", at=datetime.now(UTC)), intent("d2")])
    told = await account.total()
    assert (told.in_flight, told.unsure_calls) == (1, 1)
    told = await account.total(Wanted(patience=0))
    assert (told.in_flight, told.unsure_calls) == (0, 2)


async def test_an_empty_ledger_costs_nothing(database: Database) -> None:
    account = Account(database, "documents")
    assert await account.total() == Line()
    assert await account.by(["model"]) == []
