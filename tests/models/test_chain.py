"""A chain of models behind breakers: who is asked next, what is repaired, what it costs, what is said in the end."""

import asyncio
from decimal import Decimal

import pytest

from services.analyze.prompts import prompt_for
from shared.core.bulkhead import BulkheadPolicy
from shared.core.errors import Misconfigured
from shared.core.failures import Failure
from shared.models.client import ModelFailed, ModelUnavailable, open_models
from shared.models.running import RunningCalls
from shared.pipelines.document_types import Task
from tests.models.world import INVOICE, PROMPT, PlainBreakers, World, until

LONG = prompt_for(Task.EXTRACTION, "invoice", INVOICE + "Paper and more paper.\n" * 2_000)
"""More than sim-small's window."""


@pytest.mark.parametrize("model", ["sim-large", "sim-small", "sim-anthropic"])
async def test_a_model_gives_the_fields_as_they_stand_in_the_document(world: World, model: str) -> None:
    answer = await world.ask(model)
    assert answer.value.found() == {
        "invoice_number": "INV-2041",
        "invoice_date": "2026-03-02",
        "due_date": "2026-04-01",
        "vendor": "Millbrook Paper Ltd",
        "customer": "Harbour Books",
        "total": "240.00",
        "currency": "EUR",
    }
    assert answer.value.confidence > 0.9
    (call,) = answer.calls
    assert (call.model, call.prompt, call.task, call.outcome) == (model, "extraction@1", "extraction", "ok")


@pytest.mark.parametrize("fault", ["server_error", "auth", "model_unknown", "refusal", "malformed_json"])
async def test_the_next_model_answers_where_one_fails_and_both_calls_are_kept(world: World, fault: str) -> None:
    world.fail(fault, model="sim-large")
    answer = await world.ask()
    assert answer.calls[0].outcome == fault
    assert (answer.calls[-1].model, answer.calls[-1].outcome) == ("sim-small", "ok")


async def test_an_open_breaker_is_passed_by_without_a_call(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large")
    answer = await world.ask()
    assert [call.model for call in answer.calls] == ["sim-small"]
    assert world.sim.bill.report()["calls"] == 1


async def test_where_every_breaker_is_open_the_question_waits_for_the_first_model(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large", "model:sim-small", "model:sim-anthropic")
    with pytest.raises(ModelUnavailable) as caught:
        await world.ask()
    assert (caught.value.dependency, caught.value.after, caught.value.calls) == ("model:sim-large", 7.0, ())


async def test_a_fault_of_the_last_available_model_heals_by_itself(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large", "model:sim-anthropic")
    world.fail("rate_limited")
    with pytest.raises(ModelFailed) as caught:
        await world.ask()
    assert (caught.value.failure, caught.value.after) == (Failure.RATE_LIMITED, 2.0)


class OpeningBreakers(PlainBreakers):
    """Breakers that the first failure opens."""

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        super().record(name, failure)
        if failure:
            self.opened.add(name)


async def test_a_failure_that_opens_the_breaker_is_the_outages_and_costs_no_attempt(world: World) -> None:
    world.breakers = OpeningBreakers()
    world.fail("server_error")
    with pytest.raises(ModelUnavailable) as caught:
        await world.ask("sim-large")
    assert caught.value.dependency == "model:sim-large"
    assert [call.outcome for call in caught.value.calls] == ["server_error"]


async def test_a_failure_at_a_model_that_works_for_others_costs_an_attempt(world: World) -> None:
    world.breakers = OpeningBreakers("model:sim-large")
    world.fail("server_error", model="sim-small")
    world.breakers.record = lambda name, failure, number=0: None  # type: ignore[method-assign]
    with pytest.raises(ModelFailed):
        await world.ask("sim-large", "sim-small")


async def test_a_model_that_hangs_and_holds_half_of_the_slots_is_passed_over(world: World) -> None:
    now = [0.0]
    running = RunningCalls(BulkheadPolicy(slots=2), clock=lambda: now[0])
    running.enter("model:sim-large")
    now[0] = 600.0
    async with open_models(world.registry(), world.breakers, running=running) as chains:
        answer = await chains.ask("analyst", PROMPT, dict)
    assert [call.model for call in answer.calls] == ["sim-small"]
    assert world.breakers.asked == ["model:sim-small"]


async def test_every_slot_is_given_back(world: World) -> None:
    now = [0.0]
    running = RunningCalls(BulkheadPolicy(slots=2), clock=lambda: now[0])
    world.fail("server_error", model="sim-large", times=1)
    world.breakers = PlainBreakers("model:sim-small")
    async with open_models(world.registry(), world.breakers, running=running) as chains:
        await chains.ask("analyst", PROMPT, dict)
    now[0] = 600.0
    assert running.set_aside() == 0
    assert [running.enter("model:sim-large"), running.enter("model:sim-small")] != [None, None]


async def test_a_refusal_waits_for_a_model_that_is_away_and_might_answer(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-anthropic")
    world.fail("refusal")
    with pytest.raises(ModelUnavailable) as caught:
        await world.ask()
    assert caught.value.dependency == "model:sim-anthropic"
    assert [call.outcome for call in caught.value.calls] == ["refusal", "refusal"]


async def test_a_question_too_long_for_one_model_goes_to_a_larger_one_only(world: World) -> None:
    world.fail("token_limit", model="sim-large")
    answer = await world.ask(prompt=LONG)
    assert [(call.model, call.outcome) for call in answer.calls] == [
        ("sim-large", "token_limit"),
        ("sim-anthropic", "ok"),
    ]


async def test_a_question_too_long_for_the_available_model_waits_for_the_larger_one(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large")
    with pytest.raises(ModelUnavailable) as caught:
        await world.ask("sim-large", "sim-small", prompt=LONG)
    assert caught.value.dependency == "model:sim-large"


async def test_a_question_too_long_for_every_model_fails_though_a_smaller_one_is_away(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-small")
    world.fail("token_limit", model="sim-large")
    with pytest.raises(ModelFailed) as caught:
        await world.ask("sim-large", "sim-small", prompt=LONG)
    assert caught.value.failure is Failure.TOKEN_LIMIT


async def test_what_content_policy_forbids_is_not_tried_elsewhere(world: World) -> None:
    world.fail("content_policy", model="sim-large")
    with pytest.raises(ModelFailed) as caught:
        await world.ask()
    assert [call.model for call in caught.value.calls] == ["sim-large"]


@pytest.mark.parametrize("model", ["sim-large", "sim-anthropic"])
@pytest.mark.parametrize("fault", ["malformed_json", "schema_violation", "truncated"])
async def test_one_repair_mends_a_broken_answer(world: World, fault: str, model: str) -> None:
    world.fail(fault, times=1)
    answer = await world.ask(model)
    assert [call.outcome for call in answer.calls] == [fault, "ok"]
    assert answer.value.invoice_number == "INV-2041"


async def test_the_cost_of_all_calls_is_the_providers_bill_failed_ones_included(world: World) -> None:
    world.fail("schema_violation", model="sim-large", times=1)
    world.fail("truncated", model="sim-large", times=1)
    world.fail("refusal", model="sim-small", times=1)
    answer = await world.ask()
    assert [call.outcome for call in answer.calls] == ["schema_violation", "truncated", "refusal", "ok"]
    bill = world.sim.bill.report()
    assert bill["calls"] == 4
    assert sum(Decimal(str(call.cost_usd)) for call in answer.calls) == Decimal(bill["cost_usd"])


async def test_a_call_that_is_cancelled_ends_at_once_and_is_not_held_against_the_model(world: World) -> None:
    world.fail("hang")
    async with open_models(world.registry(), world.breakers) as chains:
        asking = asyncio.create_task(chains.ask("analyst", PROMPT, dict))
        await until(lambda: world.sim.bill.lines)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert world.breakers.records == []


async def test_many_questions_at_once_share_one_client(world: World) -> None:
    async with open_models(world.registry(), world.breakers) as chains:
        answers = await asyncio.gather(*(chains.ask("analyst", PROMPT, dict) for _ in range(100)))
    assert len(answers) == world.sim.bill.report()["calls"] == 100


async def test_a_chain_that_the_registry_lacks_is_named_with_those_it_has(world: World) -> None:
    async with open_models(world.registry(), world.breakers) as chains:
        with pytest.raises(Misconfigured, match=r"no chain 'editor' \(has: analyst\)"):
            await chains.ask("editor", PROMPT, dict)
