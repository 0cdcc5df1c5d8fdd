"""A model's limits in the chain: its calls are reserved, and one that does not fit is not made."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from infra.modelsim.faults import Fault, Order
from infra.modelsim.limits import Limit
from services.analyze.answers import InvoiceFields
from shared.core.budgets import LOOK_SECONDS, Budget
from shared.core.choosing import Wish
from shared.core.context import Answer
from shared.core.failures import Failure
from shared.core.ledger import Scope
from shared.limit_port import Reserved, Spending, Turn, Used
from shared.models.client import ModelFailed, ModelUnavailable, open_models
from shared.models.metering import HOLD_SECONDS, SOON_SECONDS, Metering
from shared.models.registry import Registry
from tests.models.world import PROMPT, World, until


@dataclass
class PlainLimits:
    """Limits that refuse where the test says so, and remember what they were told."""

    full: dict[str, float] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    settled: list[Used | None] = field(default_factory=list)
    held: list[tuple[str, float]] = field(default_factory=list)

    async def reserve(self, turn: Turn) -> Reserved:
        self.turns.append(turn)
        return Reserved(turn, turn.tokens, self.full.get(turn.limit))

    def settle(self, reserved: Reserved, used: Used | None) -> None:
        self.settled.append(used)

    def hold(self, turn: Turn, seconds: float) -> None:
        self.held.append((turn.limit, seconds))


def limited(world: World, *models: str) -> Registry:
    chain = world.registry(*models).chain("analyst")
    return Registry({"analyst": tuple(replace(model, limit=(300, 60_000)) for model in chain)})


async def ask(world: World, limits: PlainLimits, *models: str, metering: Metering | None = None) -> str:
    """Give the model that answered."""
    metering = metering or Metering(limits)
    async with open_models(limited(world, *models), world.breakers, metering=metering) as chains:
        return (await chains.ask("analyst", PROMPT, InvoiceFields)).calls[-1].model


async def test_a_call_is_reserved_and_settled_with_what_it_used(world: World) -> None:
    limits = PlainLimits()
    await ask(world, limits, "sim-large")
    (turn,), (used,) = limits.turns, limits.settled
    assert (turn.limit, turn.most) == ("model:sim-large", (300, 60_000))
    assert used is not None
    line = world.sim.bill.line("sim-large")
    assert (used.input_tokens, used.output_tokens) == (line.input_tokens, line.output_tokens)
    assert turn.tokens > used.input_tokens


async def test_the_second_call_is_estimated_by_the_first(world: World) -> None:
    limits = PlainLimits()
    metering = Metering(limits)
    for _ in range(2):
        await ask(world, limits, "sim-large", metering=metering)
    line = world.sim.bill.line("sim-large")
    used = (line.input_tokens + line.output_tokens) / 2
    assert used <= limits.turns[1].tokens <= 1.1 * used


async def test_a_model_whose_limits_are_used_up_is_passed_over(world: World) -> None:
    limits = PlainLimits({"model:sim-large": 4.0})
    assert await ask(world, limits, "sim-large", "sim-small") == "sim-small"
    assert "sim-large" not in world.sim.bill.lines
    assert world.breakers.records == [("model:sim-small", None)]


async def test_where_no_other_model_is_left_the_document_waits_for_as_long_as_was_told(world: World) -> None:
    limits = PlainLimits({"model:sim-large": 4.0})
    with pytest.raises(ModelUnavailable) as caught:
        await ask(world, limits, "sim-large")
    assert (caught.value.dependency, caught.value.after) == ("model:sim-large", 4.0)
    assert limits.settled == []


async def test_a_call_that_the_breaker_refused_uses_nothing(world: World) -> None:
    limits = PlainLimits()
    world.breakers.opened.add("model:sim-large")
    with pytest.raises(ModelUnavailable):
        await ask(world, limits, "sim-large")
    assert limits.settled == [None]


async def test_a_provider_that_says_when_to_come_again_is_obeyed(world: World) -> None:
    limits = PlainLimits()
    world.fail("rate_limited", times=1)
    with pytest.raises(ModelFailed) as caught:
        await ask(world, limits, "sim-large")
    assert caught.value.failure is Failure.RATE_LIMITED
    assert limits.held == [("model:sim-large", 2.0)]
    (used,) = limits.settled
    assert used is not None
    assert (used.input_tokens, used.output_tokens) == (0, 0)


async def test_one_refusal_without_a_word_on_when_to_come_again_stops_nobody_and_a_second_in_a_row_does(
    world: World,
) -> None:
    limits = PlainLimits()
    metering = Metering(limits)

    async def refused(times: int, model: str = "sim-large") -> list[tuple[str, float]]:
        world.sim.faults.add(Order(model=model, fault=Fault.RATE_LIMITED, times=times, after=None))
        for _ in range(times):
            with pytest.raises(ModelFailed):
                await ask(world, limits, model, metering=metering)
        return limits.held

    assert await refused(1) == []
    await ask(world, limits, "sim-large", metering=metering)
    assert await refused(1) == []
    assert await refused(1, "sim-small") == [], "each limit for itself"
    assert await refused(1) == [("model:sim-large", HOLD_SECONDS)]


async def test_a_provider_whose_counters_are_at_their_end_is_not_asked_for_so_long(world: World) -> None:
    limits = PlainLimits()
    world.sim.limits.add(Limit(model="sim-large", requests=1, tokens=100_000, seconds=60))
    await ask(world, limits, "sim-large")
    ((name, seconds),) = limits.held
    assert (name, 55 < seconds <= 60) == ("model:sim-large", True)


async def test_a_call_that_was_given_up_counts_as_it_was_estimated(world: World) -> None:
    limits = PlainLimits()
    world.fail("hang")
    asking = asyncio.create_task(ask(world, limits, "sim-large"))
    await until(lambda: world.sim.bill.line("sim-large").requests)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (used,) = limits.settled
    assert used is not None
    assert used.input_tokens + used.output_tokens == limits.turns[0].tokens


async def test_a_chain_may_ask_the_cheapest_model_first(world: World) -> None:
    chosen = replace(limited(world), wishes={"analyst": Wish()})
    async with open_models(chosen, world.breakers) as chains:
        assert (await chains.ask("analyst", PROMPT, InvoiceFields)).calls[-1].model == "sim-small"
        long = replace(PROMPT, user=PROMPT.user + "\n\nand so on" * 4_000)
        assert (await chains.ask("analyst", long, InvoiceFields)).calls[0].model == "sim-large"


@dataclass
class PlainBudgets:
    """Budgets that are spent where the test says so, and remember what was reserved and what it cost."""

    spent: Budget | None = None
    soon: bool = False
    reserved: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)

    async def reserve(self, scope: Scope, cost: float) -> Spending:
        if self.spent:
            return Spending({}, self.spent, self.soon)
        self.reserved.append(cost)
        return Spending({scope.tenant: cost})

    async def settle(self, spending: Spending, cost: float) -> None:
        self.settled.append(cost)


SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
SPENT = Budget("tenant", "acme", 10.0, datetime(2026, 11, 24, tzinfo=UTC))


async def ask_for_acme(world: World, metering: Metering) -> Answer[InvoiceFields]:
    async with open_models(limited(world, "sim-large"), world.breakers, metering=metering) as chains:
        return await chains.within(SCOPE).ask("analyst", PROMPT, InvoiceFields)


async def test_what_a_call_may_cost_is_reserved_and_what_it_cost_is_settled(world: World) -> None:
    budgets = PlainBudgets()
    answer = await ask_for_acme(world, Metering(PlainLimits(), budgets))
    assert budgets.settled == [answer.calls[0].cost_usd]
    assert budgets.reserved[0] > budgets.settled[0] > 0


async def test_at_a_cap_the_document_waits_for_the_budget_and_nothing_is_asked(world: World) -> None:
    limits = PlainLimits()
    with pytest.raises(ModelUnavailable) as caught:
        await ask_for_acme(world, Metering(limits, PlainBudgets(SPENT)))
    assert caught.value.dependency == "budget:tenant:acme"
    assert caught.value.message.startswith("budget_exceeded: tenant acme's budget of $10 is spent")
    assert (limits.turns, world.sim.bill.lines) == ([], {})


@pytest.mark.parametrize(("soon", "after"), [(True, SOON_SECONDS), (False, LOOK_SECONDS)])
async def test_a_document_looks_again_soon_where_calls_in_flight_hold_a_part_of_the_budget(
    world: World, soon: bool, after: float
) -> None:
    budgets = PlainBudgets(replace(SPENT, since=None), soon)
    with pytest.raises(ModelUnavailable) as caught:
        await ask_for_acme(world, Metering(PlainLimits(), budgets))
    assert caught.value.after == after


async def test_a_call_that_its_limits_refuse_costs_nothing(world: World) -> None:
    budgets = PlainBudgets()
    with pytest.raises(ModelUnavailable):
        await ask_for_acme(world, Metering(PlainLimits({"model:sim-large": 4.0}), budgets))
    assert budgets.settled == [0.0]
