"""Which budgets a call falls under, and how long work waits at a cap."""

from dataclasses import replace
from datetime import UTC, datetime

from shared.core.budgets import BudgetPolicy, budgets_of
from shared.core.ledger import Scope

NOW = datetime(2026, 11, 24, 23, 59, 30, tzinfo=UTC)
SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
ALL = BudgetPolicy(document=0.5, tenant=10.0, tenants={"big": 100.0}, day=1_000.0)


def test_a_call_falls_under_its_documents_its_tenants_and_the_days_budget() -> None:
    found = {one.key: one.cap for one in budgets_of(ALL, SCOPE, NOW)}
    assert found == {"document:documents:d1": 0.5, "tenant:2026-11-24:acme": 10.0, "day:2026-11-24:": 1_000.0}


def test_a_tenant_that_is_named_has_its_own() -> None:
    assert [one.cap for one in budgets_of(ALL, replace(SCOPE, tenant="big"), NOW)] == [0.5, 100.0, 1_000.0]


def test_without_a_cap_there_is_no_budget() -> None:
    assert budgets_of(BudgetPolicy(), SCOPE, NOW) == ()


def test_work_without_document_or_tenant_has_only_the_days() -> None:
    assert [one.kind for one in budgets_of(ALL, replace(SCOPE, tenant="", document_id=""), NOW)] == ["day"]


def test_work_waits_until_the_next_day_or_until_somebody_raises_the_cap() -> None:
    document, tenant, day = budgets_of(ALL, SCOPE, NOW)
    assert [one.after(NOW) for one in (document, tenant, day)] == [60.0, 30.0, 30.0]
    assert [one.dependency for one in (document, tenant, day)] == [
        "budget:document",
        "budget:tenant:acme",
        "budget:day",
    ]


def test_the_message_names_the_budget_and_the_remedy() -> None:
    said = budgets_of(ALL, SCOPE, NOW)[1].message
    assert said == "budget_exceeded: tenant acme's budget of $10 is spent: raise it under [budgets], or wait"
