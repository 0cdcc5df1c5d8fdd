"""What comes of bad answers at the real client: what is asked once more, what is kept, what is never sent twice."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from services.analyze.answers import Answer, InvoiceFields
from services.analyze.prompts import prompt_for
from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.core.ledger import Scope
from shared.core.quality import QualityPolicy
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelChains, ModelFailed, open_models
from shared.models.questions import ChainPolicy
from shared.pipelines.document_types import Task
from tests.models.world import INVOICE, PROMPT, World

SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
DETERMINISTIC = ("malformed_json", "unclosed_json", "schema_violation", "copied_schema", "truncated", "refusal")
DOUBTED = ("ungrounded", "empty_shell")


@dataclass
class Watched:
    """Asks the simulated provider, and notes the bytes of every request."""

    world: World
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    sent: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def chains(self, *models: str) -> AsyncIterator[ModelChains]:
        async with open_models(self.world.registry(*models), self.world.breakers, self.ledger) as chains:
            chains.http.event_hooks["request"] = [self.note]
            yield chains.within(SCOPE)

    async def note(self, request: httpx.Request) -> None:
        self.sent.append(hashlib.sha256(request.content).hexdigest())

    async def ask(self, *models: str, prompt: Prompt = PROMPT, schema: type[Any] = InvoiceFields) -> Any:
        async with self.chains(*models) as chains:
            return await chains.ask("analyst", prompt, schema)

    @property
    def identical(self) -> int:
        """Requests that were sent before, byte for byte."""
        return sum(Counter(self.sent).values()) - len(set(self.sent))


@pytest.fixture
def watched(world: World) -> Watched:
    return Watched(world)


@pytest.mark.parametrize("fault", [*DETERMINISTIC, *DOUBTED, "low_confidence"])
async def test_what_fails_deterministically_is_never_sent_again_unchanged_however_often_its_operation_is_tried(
    watched: Watched, fault: str
) -> None:
    watched.world.fail(fault)
    for _ in range(3):
        with suppress(ModelFailed):
            await watched.ask()
    assert watched.sent
    assert watched.identical == 0


async def test_a_fault_of_the_provider_may_be_sent_again_as_it_was(watched: Watched) -> None:
    watched.world.fail("server_error", times=1)
    with pytest.raises(ModelFailed):
        await watched.ask("sim-large")
    await watched.ask("sim-large")
    assert watched.identical == 1


@pytest.mark.parametrize("model", ["sim-large", "sim-anthropic"])
@pytest.mark.parametrize("fault", ["unclosed_json", "copied_schema", "empty_shell", "ungrounded"])
async def test_one_bad_answer_is_mended_by_a_changed_question(watched: Watched, fault: str, model: str) -> None:
    watched.world.fail(fault, times=1)
    answer = await watched.ask(model)
    known = {"unclosed_json": "truncated", "copied_schema": "schema_violation", "empty_shell": "low_quality"}
    assert [call.outcome for call in answer.calls] == [known.get(fault, fault), "ok"]
    assert answer.value.invoice_number == "INV-2041"
    assert answer.quality > 0.9


@pytest.mark.parametrize("model", ["sim-large", "sim-anthropic"])
@pytest.mark.parametrize("fault", ["truncated", "unclosed_json"])
async def test_what_was_cut_off_is_never_an_answer_and_its_failure_names_what_is_missing(
    watched: Watched, fault: str, model: str
) -> None:
    watched.world.fail(fault)
    with pytest.raises(ModelFailed, match=r"complete: confidence, invoice_number.*; missing: due_date") as caught:
        await watched.ask(model)
    assert caught.value.failure is Failure.TRUNCATED


async def test_a_refusal_in_one_field_goes_to_the_next_model_at_once(watched: Watched) -> None:
    watched.world.fail("refusal_in_field", model="sim-large")
    answer = await watched.ask()
    assert [(call.model, call.outcome) for call in answer.calls] == [("sim-large", "refusal"), ("sim-small", "ok")]


async def test_the_best_answer_is_kept_where_asking_again_brings_nothing_better(watched: Watched) -> None:
    watched.world.fail("ungrounded")
    answer = await watched.ask("sim-large")
    assert [call.outcome for call in answer.calls] == ["ungrounded", "ungrounded"]
    assert answer.value.vendor == "invented vendor 7QX"
    assert answer.quality < 0.7


async def test_the_best_answer_is_kept_where_the_second_call_fails(watched: Watched) -> None:
    watched.world.fail("empty_shell", times=1)
    watched.world.fail("server_error")
    answer = await watched.ask("sim-large")
    assert [call.outcome for call in answer.calls] == ["low_quality", "server_error"]
    assert (answer.value.found(), answer.quality) == ({}, 0.0)


async def test_money_and_attempts_end_the_search_for_a_better_answer(watched: Watched) -> None:
    watched.world.fail("ungrounded")
    async with watched.chains("sim-large") as chains:
        for policy in (QualityPolicy(attempts=1), QualityPolicy(usd=0.0)):
            answer = await replace(chains, policy=ChainPolicy(quality=policy)).ask("analyst", PROMPT, InvoiceFields)
            assert len(answer.calls) == 1


async def test_an_answer_that_may_be_empty_is_one(watched: Watched) -> None:
    prompt = prompt_for(Task.QA, "invoice", INVOICE, "Who painted the ceiling of the chapel?")
    answer = await watched.ask("sim-large", prompt=prompt, schema=Answer)
    assert answer.value.answer == ""
    assert [call.outcome for call in answer.calls] == ["ok", "ok"]  # asked twice, for it doubts itself
