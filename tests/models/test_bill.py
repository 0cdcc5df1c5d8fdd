"""What a call costs by our price list is what stands on the provider's bill, call by call, on both wires."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.core.ledger import Row, Scope, State
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelChains, ModelFailed, open_models
from shared.models.exchange import named
from shared.models.prices import Price
from shared.models.registry import Model, Provider, Registry
from shared.models.wire_anthropic import AnthropicWire
from shared.models.wire_openai import OpenAIWire
from tests.models.world import PROMPT, InvoiceFields, World

PRICES = (
    Price(date(2020, 1, 1), Decimal(20), Decimal(80)),
    Price(date(2021, 1, 1), Decimal("2.00"), Decimal("8.00"), Decimal("0.50"), Decimal("2.50")),
)
"""What the simulated model costs, and what it once did."""
SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/1")


def thrifty(world: World, wire: str, *, stream: bool) -> Registry:
    base = f"{world.address}/v1" if wire == "openai" else world.address
    provider = Provider("sim", wire, base, timeout=5.0, stream=stream, stall=0.5, first_token=0.5)
    model = Model("thrifty", "sim-thrifty", provider, 128_000, 4_000, prices=PRICES)
    return Registry({"analyst": (model,)})


async def ask(chains: ModelChains, number: int) -> None:
    scope = replace(SCOPE, document_id=f"d{number}", operation=f"documents.analyze/0/{number}")
    prompt = replace(PROMPT, user=f"{PROMPT.user}\nNumber {number}")
    await chains.within(scope).ask("analyst", prompt, InvoiceFields)


def sums(ledger: MemoryLedger) -> dict[str, Any]:
    records = [row.record for row in ledger.rows.values()]
    names = ("input_tokens", "output_tokens", "cached_tokens", "written_tokens", "reasoning_tokens")
    return {name: sum(getattr(record, name) for record in records) for name in names}


def costs(ledger: MemoryLedger) -> dict[str, Decimal]:
    """Name of each call whose cost is known, to what it cost."""
    sure = [row.record for row in ledger.rows.values() if not row.record.unsure]
    return {named(one.intent.ticket): Decimal(repr(round(one.cost_usd, 12))) for one in sure}


def exact(cost: str) -> Decimal:
    return Decimal(cost)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_cached_written_and_reasoning_tokens_are_told_and_cost_what_they_cost(
    world: World, wire: str, stream: bool
) -> None:
    ledger = MemoryLedger()
    async with open_models(thrifty(world, wire, stream=stream), world.breakers, ledger) as chains:
        for number in range(3):
            await ask(chains, number)
    async with httpx.AsyncClient(base_url=world.address) as client:
        bill = (await client.get("/bill?items")).json()
    line, mine = bill["models"]["sim-thrifty"], sums(ledger)
    # The messages wire does not tell thoughts apart: they are in the answer's tokens, and paid.
    assert mine["reasoning_tokens"] == (line["reasoning_tokens"] if wire == "openai" else 0)
    assert mine["cached_tokens"] == line["cached_tokens"] > 0
    assert mine["written_tokens"] == line["written_tokens"]
    assert (mine["written_tokens"] > 0) == (wire == "anthropic")
    assert (mine["input_tokens"], mine["output_tokens"]) == (line["input_tokens"], line["output_tokens"])
    assert {name: exact(cost) for name, cost in bill["items"].items()} == costs(ledger)


@pytest.mark.parametrize("fault", ["stream_cut", "stream_stalled", "stream_malformed", "stream_unterminated"])
async def test_what_came_of_a_lost_answer_is_unsure_and_the_rest_of_the_bill_is_equal(world: World, fault: str) -> None:
    ledger = MemoryLedger()
    world.fail(fault, times=1)
    async with open_models(thrifty(world, "openai", stream=True), world.breakers, ledger) as chains:
        with pytest.raises(ModelFailed):
            await ask(chains, 0)
        await ask(chains, 1)
    lost, whole = (row.record for row in ledger.rows.values())
    # Where only the terminator is missing, the figures have come all the same.
    assert (lost.unsure, whole.unsure) == (fault != "stream_unterminated", False)
    assert lost.state is State.FAILED
    unsure = named(lost.intent.ticket) if lost.unsure else ""
    assert {name: cost for name, cost in world.sim.bill.items.items() if name != unsure} == costs(ledger)


async def test_a_call_that_was_never_sent_is_sure_and_one_that_hung_is_not(world: World) -> None:
    ledger = MemoryLedger()
    registry = thrifty(world, "openai", stream=True)
    (model,) = registry.chain("analyst")
    gone = replace(
        model, name="gone", id="sim-gone", provider=replace(model.provider, base_url="http://127.0.0.1:9/v1")
    )
    world.fail("hang")
    async with open_models(Registry({"analyst": (gone, model)}), world.breakers, ledger) as chains:
        with pytest.raises(ModelFailed):
            await ask(chains, 0)
    rows: list[Row] = list(ledger.rows.values())
    assert [row.record.unsure for row in rows] == [False, True]
    assert [row.cost_usd for row in rows] == [0, 0]


async def test_a_recorded_answer_costs_what_it_did_whatever_the_price_is_now(world: World) -> None:
    ledger, registry = MemoryLedger(), thrifty(world, "openai", stream=True)
    async with open_models(registry, world.breakers, ledger) as chains:
        first = await chains.within(SCOPE).ask("analyst", PROMPT, InvoiceFields)
    (model,) = registry.chain("analyst")
    dearer = Registry({"analyst": (replace(model, prices=(Price(date.min, Decimal(99), Decimal(99)),)),)})
    async with open_models(dearer, world.breakers, ledger) as chains:
        again = await chains.within(SCOPE).ask("analyst", PROMPT, InvoiceFields)
    assert again.calls[0].outcome == "reused"
    assert again.calls[0].cost_usd == first.calls[0].cost_usd > 0


@pytest.mark.parametrize("odd", [None, 3, "many", [1], {"cached_tokens": "all"}, {"cached_tokens": -4}, {}])
def test_whatever_stands_in_the_place_of_the_details_is_no_error(odd: Any) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": odd, "completion_tokens_details": odd}
    body = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": usage}
    assert OpenAIWire().reply(body).usage.fresh_tokens == 7
    counted = {"input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": odd}
    said = {"content": [{"type": "text", "text": "{}"}], "stop_reason": "end_turn", "usage": counted}
    assert AnthropicWire().reply(said).usage.fresh_tokens == 7
