"""The ledger's sums are what budgets go by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.core.budgets import Budget, BudgetPolicy, budgets_of
from shared.core.ledger import State
from shared.database.ledger import CallsTable
from shared.database.pool import Database
from tests.ledgers import SCOPE, ended, intent_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def sums(table: CallsTable) -> dict[str, float]:
    policy = BudgetPolicy(document=1, tenant=1, day=1)
    return {one.kind: await table.spent(one) for one in budgets_of(policy, SCOPE, NOW)}


async def test_spending_is_summed_by_document_tenant_and_day(database: Database) -> None:
    table = CallsTable(database, "one")
    assert await sums(table) == {"document": 0, "tenant": 0, "day": 0}
    other = replace(SCOPE, tenant="other", document_id="d2")
    for question, scope, at, cost, state in (
        ("today", SCOPE, NOW, 0.25, State.ACCEPTED),
        ("no use, but paid", SCOPE, NOW, 0.5, State.REJECTED),
        ("yesterday", SCOPE, NOW - timedelta(days=1), 1.0, State.ACCEPTED),
        ("another's", other, NOW, 2.0, State.ACCEPTED),
    ):
        intent = replace(intent_of(question, scope), at=at)
        await table.begin([intent])
        await table.end([replace(ended(intent, state), cost_usd=cost)])
    found = await sums(table)
    assert found == pytest.approx({"document": 1.75, "tenant": 0.75, "day": 2.75})


async def test_an_intent_costs_nothing_yet(database: Database) -> None:
    table = CallsTable(database, "one")
    await table.begin([intent_of("asked")])
    assert await table.spent(Budget("document", SCOPE.document_id, 1.0, None, SCOPE.pipeline)) == 0
