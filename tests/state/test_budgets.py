"""Budgets over Redis: shared by processes, filled from the ledger where Redis knows nothing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import pytest

from shared.core.budgets import Budget, BudgetPolicy
from shared.core.errors import Unavailable
from shared.core.ledger import Scope
from shared.state.budgets import RedisBudgets
from tests.state.server import OwnRedis

SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
POLICY = BudgetPolicy(tenant=1.0)


@dataclass
class Truth:
    """What the ledger says."""

    spent: float = 0.0
    away: bool = False
    asked: list[str] = field(default_factory=list)

    async def __call__(self, budget: Budget) -> float:
        self.asked.append(budget.key)
        if self.away:
            raise Unavailable("database", "PostgreSQL is away")
        return self.spent


Open = Callable[..., RedisBudgets]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Members of one registry of the test's own; all are closed at its end."""
    prefix = f"test:{uuid.uuid4().hex}:"
    async with AsyncExitStack() as stack:

        def open_member(url: str, truth: Truth, policy: BudgetPolicy = POLICY) -> RedisBudgets:
            member = RedisBudgets(url, policy, truth, prefix)
            stack.push_async_exit(member)
            return member

        yield open_member


async def test_two_processes_together_keep_to_a_budget(redis_url: str, opened: Open) -> None:
    one, two = opened(redis_url, Truth()), opened(redis_url, Truth())
    asked = await asyncio.gather(*[member.reserve(SCOPE, 0.1) for member in (one, two) * 10])
    assert sum(spending.exceeded is None for spending in asked) == 10
    refused = next(spending.exceeded for spending in asked if spending.exceeded)
    assert (refused.dependency, refused.cap) == ("budget:tenant:acme", 1.0)


async def test_the_estimate_makes_way_for_what_it_cost(redis_url: str, opened: Open) -> None:
    budgets = opened(redis_url, Truth())
    spending = await budgets.reserve(SCOPE, 0.9)
    await budgets.settle(spending, 0.2)
    assert (await budgets.reserve(SCOPE, 0.7)).exceeded is None
    assert (await budgets.reserve(SCOPE, 0.2)).exceeded is not None


async def test_what_calls_in_flight_hold_may_be_free_soon_and_what_is_spent_is_not(
    redis_url: str, opened: Open
) -> None:
    budgets = opened(redis_url, Truth())
    spending = await budgets.reserve(SCOPE, 0.9)
    assert (await budgets.reserve(SCOPE, 0.5)).soon
    await budgets.settle(spending, 0.9)
    refused = await budgets.reserve(SCOPE, 0.5)
    assert refused.exceeded
    assert not refused.soon


async def test_a_call_that_was_not_made_costs_nothing(redis_url: str, opened: Open) -> None:
    budgets = opened(redis_url, Truth())
    await budgets.settle(await budgets.reserve(SCOPE, 1.0), 0.0)
    assert (await budgets.reserve(SCOPE, 1.0)).exceeded is None


async def test_another_tenant_is_not_held_up(redis_url: str, opened: Open) -> None:
    budgets = opened(redis_url, Truth())
    await budgets.reserve(SCOPE, 1.0)
    assert (await budgets.reserve(SCOPE, 0.1)).exceeded is not None
    assert (await budgets.reserve(replace(SCOPE, tenant="other"), 0.1)).exceeded is None


async def test_where_one_budget_is_spent_nothing_is_taken_from_the_others(redis_url: str, opened: Open) -> None:
    budgets = opened(redis_url, Truth(), BudgetPolicy(tenant=1.0, document=0.5))
    for _ in range(5):
        refused = (await budgets.reserve(SCOPE, 0.8)).exceeded
        assert refused is not None
        assert refused.kind == "document"
    assert (await budgets.reserve(replace(SCOPE, document_id="d2"), 0.4)).exceeded is None
    assert (await budgets.reserve(replace(SCOPE, document_id="d3"), 0.5)).exceeded is None


async def test_what_redis_does_not_know_the_ledger_does(own_redis: OwnRedis, opened: Open) -> None:
    truth = Truth(0.7)
    budgets = opened(own_redis.url, truth)
    assert (await budgets.reserve(SCOPE, 0.4)).exceeded is not None
    assert (await budgets.reserve(SCOPE, 0.3)).exceeded is None
    assert len(truth.asked) == 1
    own_redis.empty()
    truth.spent = 1.0
    assert (await budgets.reserve(SCOPE, 0.1)).exceeded is not None


async def test_without_redis_a_process_counts_for_itself_and_says_so(own_redis: OwnRedis, opened: Open) -> None:
    budgets = opened(own_redis.url, Truth(0.5))
    own_redis.kill()
    asked = [(await budgets.reserve(SCOPE, 0.1)).exceeded is None for _ in range(7)]
    assert asked == [True] * 5 + [False] * 2
    assert "each process counts" in budgets.health
    own_redis.start()
    await budgets.reserve(SCOPE, 0.1)
    assert budgets.health == ""


async def test_without_redis_and_the_ledger_work_goes_on_and_health_says_so(own_redis: OwnRedis, opened: Open) -> None:
    budgets = opened(own_redis.url, Truth(away=True))
    own_redis.kill()
    assert (await budgets.reserve(SCOPE, 0.1)).exceeded is None
    assert "not known" in budgets.health


async def test_where_nothing_is_capped_nobody_is_asked(own_redis: OwnRedis, opened: Open) -> None:
    own_redis.kill()
    budgets = opened(own_redis.url, Truth(away=True), BudgetPolicy())
    spending = await budgets.reserve(SCOPE, 1e9)
    await budgets.settle(spending, 1e9)
    assert (spending.exceeded, budgets.health) == (None, "")
