"""Who is asked next, as the pipeline's table and its `fallback` say; who is passed over; what is never sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from services.analyze.answers import InvoiceFields
from services.analyze.prompts import prompt_for
from shared.core.failures import Failure, Remedy
from shared.core.ledger import Scope
from shared.core.remedies import Fallback, Remedies
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelChains, ModelFailed, ModelUnavailable, open_models
from shared.models.questions import ChainPolicy
from shared.pipelines.document_types import Task
from tests.models.world import INVOICE, PROMPT, PlainBreakers, World

WAIT = ChainPolicy(fallback=Fallback.WAIT)
SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
LONG = prompt_for(Task.EXTRACTION, "invoice", INVOICE + "Paper and more paper.\n" * 2_000)
"""More than sim-small's window."""
LONGER = prompt_for(Task.EXTRACTION, "invoice", INVOICE + "Paper and more paper.\n" * 10_000)
"""By the estimate two thirds of sim-large's window."""
ENDLESS = prompt_for(Task.EXTRACTION, "invoice", "Paper and more paper.\n" * 90_000)
"""More than anybody's window."""


def policy(failure: Failure, remedy: Remedy) -> ChainPolicy:
    """The default table but for one class."""
    return ChainPolicy(Remedies({failure: remedy}))


@asynccontextmanager
async def chains(
    world: World, *models: str, policy: ChainPolicy | None = None, seconds: float = 20.0
) -> AsyncIterator[ModelChains]:
    """The world's models in the work on one record."""
    registry = world.registry(*models, seconds=seconds)
    async with open_models(registry, world.breakers, MemoryLedger(), policy=policy) as opened:
        yield opened.within(SCOPE)


def asked(error: ModelFailed | ModelUnavailable) -> list[tuple[str, str]]:
    return [(call.model, call.outcome) for call in error.calls]


async def test_where_the_pipeline_waits_an_open_breaker_is_waited_for(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large")
    async with chains(world, policy=WAIT) as models:
        with pytest.raises(ModelUnavailable) as caught:
            await models.ask("analyst", PROMPT, InvoiceFields)
    assert (caught.value.dependency, caught.value.calls) == ("model:sim-large", ())


@pytest.mark.parametrize("fault", ["overloaded", "rate_limited", "connection", "auth"])
async def test_where_the_pipeline_waits_a_providers_fault_goes_to_nobody_else(world: World, fault: str) -> None:
    world.fail(fault, model="sim-large")
    async with chains(world, policy=WAIT) as models:
        with pytest.raises(ModelFailed) as caught:
            await models.ask("analyst", PROMPT, InvoiceFields)
    assert asked(caught.value) == [("sim-large", fault)]


async def test_where_the_pipeline_waits_a_refusal_still_goes_to_the_next_model(world: World) -> None:
    world.fail("refusal", model="sim-large")
    async with chains(world, policy=WAIT) as models:
        answer = await models.ask("analyst", PROMPT, InvoiceFields)
    assert [call.model for call in answer.calls] == ["sim-large", "sim-small"]


class ClosingBreakers(PlainBreakers):
    """Breakers that keep everything back as soon as one call was made."""

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        super().record(name, failure)
        self.opened.add(name)


async def test_a_repair_that_is_kept_back_is_made_after_the_wait_and_nothing_is_paid_again(world: World) -> None:
    world.breakers = ClosingBreakers("model:sim-small")
    world.fail("schema_violation", times=1)
    async with chains(world, "sim-large", "sim-small") as models:
        with pytest.raises(ModelUnavailable, match="keeps it back, after sim-large: the answer breaks its schema") as e:
            await models.ask("analyst", PROMPT, InvoiceFields)
        assert (e.value.dependency, asked(e.value)) == ("model:sim-large", [("sim-large", "schema_violation")])
        world.breakers.opened.clear()
        answer = await models.ask("analyst", PROMPT, InvoiceFields)
    assert [call.outcome for call in answer.calls] == ["reused:schema_violation", "ok"]
    assert answer.calls[0].cost_usd == e.value.calls[0].cost_usd > 0
    assert world.sim.bill.report()["calls"] == 2


async def test_a_silent_model_is_not_asked_again_in_the_same_work(world: World) -> None:
    world.fail("hang", model="sim-large")
    world.fail("overloaded", model="sim-small", times=2)
    async with chains(world, "sim-large", "sim-small", seconds=0.3) as models:
        for _ in range(2):
            with pytest.raises(ModelFailed):
                await models.ask("analyst", PROMPT, InvoiceFields)
        answer = await models.ask("analyst", PROMPT, InvoiceFields)
        world.sim.faults.clear()
        replayed = await models.within(replace(SCOPE, operation="documents.analyze/0/99")).ask(
            "analyst", replace(PROMPT, sample=1), InvoiceFields
        )
    assert [call.model for call in answer.calls] == ["sim-small"]
    assert [call.model for call in replayed.calls] == ["sim-large"]
    assert world.sim.bill.lines["sim-large"].requests == 2


async def test_where_every_model_was_silent_there_is_no_other_way_than_to_ask_again(world: World) -> None:
    world.fail("hang", model="sim-large", times=1)
    async with chains(world, "sim-large", seconds=0.3) as models:
        with pytest.raises(ModelFailed):
            await models.ask("analyst", PROMPT, InvoiceFields)
        answer = await models.ask("analyst", PROMPT, InvoiceFields)
    assert [call.outcome for call in answer.calls] == ["ok"]


async def test_what_is_too_long_for_a_model_is_not_sent_to_it(world: World) -> None:
    async with chains(world, "sim-small", "sim-anthropic") as models:
        answer = await models.ask("analyst", LONG, InvoiceFields)
    assert [call.model for call in answer.calls] == ["sim-anthropic"]
    assert "sim-small" not in world.sim.bill.lines


async def test_what_is_too_long_for_every_model_is_sent_to_nobody_and_says_what_to_do(world: World) -> None:
    async with chains(world) as models:
        outlook = models.outlook("analyst", ENDLESS, InvoiceFields)
        with pytest.raises(
            ModelFailed, match="its window of 200000 must hold 4000 of the answer: ask in parts"
        ) as caught:
            await models.ask("analyst", ENDLESS, InvoiceFields)
    assert (caught.value.failure, caught.value.remedy, caught.value.calls) == (Failure.TOKEN_LIMIT, Remedy.SPLIT, ())
    assert (outlook.fits, world.sim.bill.lines) == (False, {})


async def test_an_estimate_that_may_be_wrong_is_not_the_last_word(world: World) -> None:
    close = prompt_for(Task.EXTRACTION, "invoice", INVOICE + "Paper and more paper.\n" * 1_000)
    async with chains(world, "sim-small") as models:
        assert not models.outlook("analyst", close, InvoiceFields).fits
        answer = await models.ask("analyst", close, InvoiceFields)
    assert [call.outcome for call in answer.calls] == ["ok"]


async def test_what_a_provider_counts_brings_the_estimate_nearer(world: World) -> None:
    close = prompt_for(Task.EXTRACTION, "invoice", INVOICE + "Paper and more paper.\n" * 1_000)
    async with chains(world, "sim-small") as models:
        before = models.outlook("analyst", close, InvoiceFields)
        for sample in range(20):
            prompt = replace(prompt_for(Task.EXTRACTION, "invoice", INVOICE * 8), sample=sample)
            await models.ask("analyst", prompt, InvoiceFields)
        after = models.outlook("analyst", close, InvoiceFields)
    assert (before.fits, after.fits) == (False, True)
    assert after.room > before.room


async def test_a_model_that_found_a_question_too_long_is_passed_over_the_next_time(world: World) -> None:
    world.fail("token_limit", model="sim-large", times=1)
    async with chains(world, "sim-large", "sim-anthropic") as models:
        await models.ask("analyst", LONGER, InvoiceFields)
        again = await models.ask("analyst", replace(LONGER, sample=1), InvoiceFields)
    assert [call.model for call in again.calls] == ["sim-anthropic"]


async def test_a_chain_tells_its_models_and_one_that_is_not_there_has_none(world: World) -> None:
    async with chains(world) as models:
        assert models.outlook("analyst", PROMPT, InvoiceFields).models == ("sim-large", "sim-small", "sim-anthropic")
        assert models.outlook("extraction", PROMPT, InvoiceFields).models == ()


async def test_models_whose_answer_is_known_are_left_out(world: World) -> None:
    async with chains(world) as models:
        answer = await models.ask("analyst", PROMPT, InvoiceFields, besides=("sim-large",))
        assert [call.model for call in answer.calls] == ["sim-small"]
        with pytest.raises(ModelFailed, match="no other models than sim-large, sim-small, sim-anthropic"):
            await models.ask("analyst", PROMPT, InvoiceFields, besides=("sim-large", "sim-small", "sim-anthropic"))


@pytest.mark.parametrize("model", ["sim-large", "sim-anthropic"])
async def test_a_pipeline_may_say_that_another_model_is_asked_what_a_policy_forbids(world: World, model: str) -> None:
    world.fail("content_policy", model=model)
    async with chains(world, model, "sim-small", policy=policy(Failure.CONTENT_POLICY, Remedy.FALLBACK)) as models:
        answer = await models.ask("analyst", PROMPT, InvoiceFields)
    assert answer.calls[-1].outcome == "ok"


@pytest.mark.parametrize(
    ("failure", "remedy", "seen"),
    [
        (Failure.REFUSAL, Remedy.DEAD, ["refusal"]),
        (Failure.REFUSAL, Remedy.REPAIR, ["refusal", "refusal", "ok"]),
        (Failure.MALFORMED_JSON, Remedy.FALLBACK, ["malformed_json", "ok"]),
        (Failure.MALFORMED_JSON, Remedy.REVIEW, ["malformed_json"]),
        (Failure.RATE_LIMITED, Remedy.DEAD, ["rate_limited"]),
    ],
)
async def test_the_chain_does_what_the_table_says(
    world: World, failure: Failure, remedy: Remedy, seen: list[str]
) -> None:
    world.fail(failure.value, model="sim-large")
    async with chains(world, "sim-large", "sim-small", policy=policy(failure, remedy)) as models:
        try:
            calls = (await models.ask("analyst", PROMPT, InvoiceFields)).calls
        except ModelFailed as error:
            calls, remedied = error.calls, error.remedy
            assert remedied is remedy
    assert [call.outcome for call in calls] == seen
