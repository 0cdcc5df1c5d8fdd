"""What the call ledger tells of cost, on a real PostgreSQL."""

from dataclasses import replace

from shared.core.forecast import Due, forecast
from shared.core.ledger import Recorded, State
from shared.database.costs import Costs
from shared.database.ledger import CallsTable
from shared.database.pool import Database
from shared.database.results import ResultsTable
from tests.database.rows import ROW
from tests.ledgers import intent_of


def call(document: str, task: str, cost: float, state: State = State.ACCEPTED) -> Recorded:
    """One call, ended."""
    intent = intent_of(f"{document} {task}")
    scope = replace(intent.scope, pipeline="documents", stage="analyze", document_id=document)
    intent = replace(intent, scope=scope, task=task, model="sim-large")
    return Recorded(intent, state, "{}", cost_usd=cost)


async def test_documents_that_stopped_half_way_and_steps_of_handlers_are_no_measure(database: Database) -> None:
    table = CallsTable(database, "one")
    calls = [call(f"d{n}", task, 0.02) for n in range(10) for task in ("extraction", "qa")]
    calls += [call("stopped", "extraction", 9.0), call("d0", "never", 5.0, State.REJECTED)]
    step = call("d0", "a step", 0.0)
    calls.append(replace(step, intent=replace(step.intent, model="")))
    await table.end(calls)
    rows = [replace(ROW, document_id=f"d{n}", document_type="invoice", stored_by=f"e{n}") for n in range(10)]
    await ResultsTable(database, "documents").upsert(rows)
    costs = Costs(database, "documents")
    paid = await costs.paid({"stopped"})
    assert {(one.task, one.documents, one.calls) for one in paid.spent} == {("extraction", 10, 10), ("qa", 10, 10)}
    assert paid.through == {("analyze", "invoice"): 10}
    assert paid.stored == {"invoice": 10}
    answered = await costs.answered({"stopped"})
    assert answered == {("stopped", "analyze", "extraction"): 1}
    told = forecast(paid, [Due("stopped", "invoice", ("analyze",))], answered)
    assert round(told.cost_usd, 6) == 0.02
    assert [row["task"] for row in await costs.calls("stopped")] == ["extraction"]


async def test_an_empty_ledger_knows_nothing(database: Database) -> None:
    costs = Costs(database, "documents")
    assert (await costs.paid(set())).spent == ()
    assert await costs.answered(set()) == {}
