"""The forms in which a model is asked for JSON, on both wires: what is sent, and that the same answer comes back."""

from dataclasses import replace
from typing import Any

import pytest

from services.analyze.answers import InvoiceFields
from shared.core.ledger import Scope
from shared.models.answers import json_schema
from shared.models.client import ModelFailed, open_models
from shared.models.exchange import intent_of
from shared.models.forms import SPELLED, Form
from shared.models.registry import Model
from shared.models.transport import WIRES
from tests.models.world import PROMPT, World

WIRED = ("sim-large", "sim-anthropic")
SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
ADDED = {
    ("openai", Form.JSON_SCHEMA): {"response_format"},
    ("openai", Form.TOOLS): {"tools", "tool_choice"},
    ("openai", Form.TEXT): set(),
    ("anthropic", Form.JSON_SCHEMA): {"output_config"},
    ("anthropic", Form.TOOLS): {"tools", "tool_choice"},
    ("anthropic", Form.TEXT): set(),
}
PLAIN = {"model", "messages", "max_tokens", "max_completion_tokens", "system", "stream", "stream_options"}


def body(model: Model) -> Any:
    """What is sent to the model."""
    return WIRES[model.provider.wire].request(model, PROMPT, json_schema(InvoiceFields)).body


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("form", list(Form))
async def test_each_form_gives_the_same_answer(world: World, name: str, form: Form) -> None:
    async with open_models(world.registry(name, form=form), world.breakers) as chains:
        answer = await chains.ask("analyst", PROMPT, InvoiceFields)
    assert answer.value.found()["invoice_number"] == "INV-2041"
    assert [call.outcome for call in answer.calls] == ["ok"]


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("fault", ["malformed_json", "schema_violation", "truncated"])
async def test_a_broken_answer_is_repaired_in_each_form(world: World, name: str, form: Form, fault: str) -> None:
    world.fail(fault, times=1)
    async with open_models(world.registry(name, form=form), world.breakers) as chains:
        answer = await chains.ask("analyst", PROMPT, InvoiceFields)
    assert [call.outcome for call in answer.calls] == [fault, "ok"]


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("form", list(Form))
async def test_a_refusal_is_seen_in_each_form(world: World, name: str, form: Form) -> None:
    world.fail("refusal")
    async with open_models(world.registry(name, form=form), world.breakers) as chains:
        with pytest.raises(ModelFailed) as caught:
            await chains.ask("analyst", PROMPT, InvoiceFields)
    assert [call.outcome for call in caught.value.calls] == ["refusal"]


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("form", list(Form))
def test_only_what_the_form_needs_is_sent(name: str, form: Form) -> None:
    [model] = World(None, "http://127.0.0.1:9").registry(name, form=form).chain("analyst")  # type: ignore[arg-type]
    sent = body(model)
    assert sent.keys() - PLAIN == ADDED[model.provider.wire, form]
    assert (SPELLED in str(sent)) is (form is Form.TEXT)


def test_another_form_is_another_call_and_the_usual_one_has_no_mark_of_its_own() -> None:
    [model] = World(None, "http://127.0.0.1:9").registry("sim-large").chain("analyst")  # type: ignore[arg-type]
    names = {form: intent_of(SCOPE, replace(model, form=form), PROMPT, InvoiceFields).fingerprint for form in Form}
    assert len(set(names.values())) == 3
    assert names[Form.JSON_SCHEMA] == intent_of(SCOPE, model, PROMPT, InvoiceFields).fingerprint
