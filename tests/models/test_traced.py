"""Every request to a model is a span of the attempt that made it, and costs in the trace what it cost."""

from dataclasses import replace
from typing import Any

import pytest

from services.analyze.answers import InvoiceFields
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.ledger import Scope
from shared.core.settle import Place
from shared.memory.ledger import MemoryLedger
from shared.models.client import open_models
from shared.observe.tracing.spans import Span
from shared.observe.tracing.traces import CURRENT, Traces
from shared.runtime.tracing import told
from tests.models.world import INVOICE, PROMPT, World
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, ticket

RECORD = Delivery(Position("tickets.ingest", 0, 0), b"t1", b"", (), NOW)
SCOPE = Scope("tickets", "triage", "acme", "t1", "tickets.ingest/0/0")


class Kept:
    """An outlet that keeps what it is given."""

    full = False

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def give(self, span: Span) -> None:
        self.spans.append(span)

    def drop(self, records: int) -> None:
        raise AssertionError("there is room")


async def asked(world: World, kept: Kept, *, times: int = 1, content: bool = False) -> tuple[float, int]:
    """Ask within one attempt; gives the dollars of the calls that were made, and the attempt's span id."""
    traces, cost = Traces(kept, content=content), 0.0
    async with open_models(world.registry(), world.breakers, MemoryLedger()) as chains:
        models = replace(chains, told=told(traces)).within(SCOPE)
        with traces.within(Place(TICKETS, TRIAGE), RECORD, ticket()):
            for _ in range(times):
                answer = await models.ask("analyst", PROMPT, InvoiceFields)
                cost += sum(call.cost_usd for call in answer.calls if call.made)
            attempt = CURRENT.get()
            assert attempt is not None
            return cost, attempt.id


async def test_each_request_is_a_span_and_their_costs_add_up(world: World) -> None:
    world.fail("overloaded", model="sim-large", times=1)
    kept = Kept()
    cost, attempt = await asked(world, kept)
    assert {span.parent for span in kept.spans} == {attempt}
    assert len(kept.spans) == 2
    failed, answered = kept.spans
    assert (failed.error, failed.attributes["langfuse.observation.level"]) == ("overloaded", "ERROR")
    assert "gen_ai.response.finish_reasons" not in failed.attributes
    assert answered.attributes["gen_ai.response.model"]
    assert answered.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert answered.start < answered.end
    assert sum(span.attributes["gen_ai.usage.cost"] for span in kept.spans) == pytest.approx(cost)


async def test_an_answer_that_was_recorded_is_told_and_not_counted_again(world: World) -> None:
    kept = Kept()
    cost, _ = await asked(world, kept, times=2)
    made, found = kept.spans
    assert (made.attributes["langfuse.observation.type"], found.attributes["langfuse.observation.type"]) == (
        "generation",
        "span",
    )
    assert found.attributes["penstock.outcome"] == "reused"
    assert made.attributes["gen_ai.usage.cost"] == pytest.approx(cost)


@pytest.mark.parametrize("content", [False, True])
async def test_prompt_and_answer_leave_the_house_only_where_that_is_wanted(world: World, content: bool) -> None:
    kept = Kept()
    await asked(world, kept, content=content)
    said: Any = repr(kept.spans)
    line = INVOICE.splitlines()[2]
    assert (line in said, "gen_ai.input.messages" in said, "gen_ai.output.messages" in said) == (content,) * 3
