"""A chain of models behind the call ledger: what was answered is not paid again, and what failed may be tried."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from services.analyze.answers import InvoiceFields
from shared.core.breaker import BreakerPolicy
from shared.core.context import Answer, Prompt
from shared.core.errors import Unavailable
from shared.core.failures import Failure
from shared.core.ledger import Begun, Intent, Recorded, Scope, State
from shared.memory.breakers import MemoryBreakers
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelFailed, open_models
from shared.ports import BreakerState
from tests.models.world import PROMPT, World, until

SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
REPLAY = replace(SCOPE, operation="documents.analyze/0/99")
ANOTHER = replace(SCOPE, document_id="d2", operation="documents.analyze/1/3")


@dataclass
class Desk:
    """Asks the simulated provider through one ledger."""

    world: World
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    async def ask(
        self, *models: str, scope: Scope = SCOPE, prompt: Prompt = PROMPT, schema: type[Any] = InvoiceFields
    ) -> Answer[Any]:
        async with open_models(self.world.registry(*models), self.world.breakers, self.ledger) as chains:
            return await chains.within(scope).ask("analyst", prompt, schema)

    @property
    def sent(self) -> int:
        """Requests that were sent: each ends with a word to its breaker."""
        return len(self.world.breakers.records)

    def states(self) -> list[State]:
        return [row.record.state for row in self.ledger.rows.values()]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


async def test_an_accepted_answer_is_used_again_by_every_operation(desk: Desk) -> None:
    first = await desk.ask()
    second, replayed, elsewhere = await desk.ask(), await desk.ask(scope=REPLAY), await desk.ask(scope=ANOTHER)
    assert desk.sent == 1
    assert first.value == second.value == replayed.value == elsewhere.value
    assert [answer.calls[0].outcome for answer in (first, second, replayed, elsewhere)] == ["ok", *["reused"] * 3]
    # Told once more in the same work, because nobody else has told it; in another's work it was told already.
    assert second.calls[0].cost_usd == first.calls[0].cost_usd > 0
    assert replayed.calls[0].cost_usd == elsewhere.calls[0].cost_usd == elsewhere.calls[0].input_tokens == 0
    assert [call.made for answer in (first, second) for call in answer.calls] == [True, False]


async def test_what_a_newer_release_has_put_beside_an_answer_is_passed_over(desk: Desk) -> None:
    first = await desk.ask()
    [(name, row)] = desk.ledger.rows.items()
    newer = json.dumps(json.loads(row.record.result) | {"of_a_newer_release": 1})
    desk.ledger.rows[name] = replace(row, record=replace(row.record, result=newer))
    again = await desk.ask()
    assert (again.value, again.calls[0].outcome, desk.sent) == (first.value, "reused", 1)


async def test_what_is_asked_otherwise_is_another_call(desk: Desk) -> None:
    await desk.ask()
    await desk.ask(scope=replace(SCOPE, tenant="other"))
    await desk.ask(prompt=replace(PROMPT, sample=1))
    await desk.ask(prompt=replace(PROMPT, name="extraction@2"))
    await desk.ask("sim-small")
    await desk.ask(schema=dict)
    assert desk.sent == 6


async def test_a_refusal_is_not_asked_for_again_in_the_same_operation(desk: Desk) -> None:
    desk.world.fail("refusal", model="sim-large")
    desk.world.fail("server_error", model="sim-small", times=1)
    with pytest.raises(ModelFailed):
        await desk.ask("sim-large", "sim-small")
    assert desk.sent == 2
    answer = await desk.ask("sim-large", "sim-small")
    assert [(call.model, call.outcome) for call in answer.calls] == [
        ("sim-large", "reused:refusal"),
        ("sim-small", "ok"),
    ]
    assert desk.sent == 3
    # A replay is a new operation: it asks again, and the accepted answer is still there.
    replayed = await desk.ask("sim-large", "sim-small", scope=REPLAY)
    assert [call.outcome for call in replayed.calls] == ["refusal", "reused"]


async def test_a_repair_goes_on_from_a_rejected_answer_without_paying_it_again(desk: Desk) -> None:
    desk.world.fail("schema_violation", times=1)
    desk.world.fail("overloaded", times=1)
    with pytest.raises(ModelFailed) as caught:
        await desk.ask("sim-large")
    assert [call.outcome for call in caught.value.calls] == ["schema_violation", "overloaded"]
    answer = await desk.ask("sim-large")
    assert [call.outcome for call in answer.calls] == ["reused:schema_violation", "ok"]
    assert desk.sent == 3


async def test_the_cost_told_over_all_tries_is_the_providers_bill(desk: Desk) -> None:
    desk.world.fail("schema_violation", times=1)
    desk.world.fail("overloaded", times=1)
    with pytest.raises(ModelFailed):
        await desk.ask("sim-large")
    answer = await desk.ask("sim-large")
    bill = Decimal(desk.world.sim.bill.report()["cost_usd"])
    assert sum(Decimal(str(call.cost_usd)) for call in answer.calls) == bill
    assert float(bill) == pytest.approx(sum(row.cost_usd for row in desk.ledger.rows.values()))


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "overloaded", "auth"])
async def test_a_fault_of_the_provider_holds_up_no_later_try(desk: Desk, fault: str) -> None:
    desk.world.fail(fault, times=1)
    with pytest.raises(ModelFailed):
        await desk.ask("sim-large")
    assert desk.states() == [State.FAILED]
    assert (await desk.ask("sim-large")).calls[0].outcome == "ok"
    assert [row.repeats for row in desk.ledger.rows.values()] == [0]


@pytest.mark.parametrize("fault", ["content_policy", "token_limit"])
async def test_an_answer_that_no_retry_changes_is_not_asked_for_again(desk: Desk, fault: str) -> None:
    desk.world.fail(fault)
    for _ in range(2):
        with pytest.raises(ModelFailed) as caught:
            await desk.ask("sim-large")
        assert caught.value.failure is Failure(fault)
    assert desk.sent == 1
    assert desk.states() == [State.REJECTED]


async def test_a_call_that_was_cut_off_by_the_end_of_its_process_is_repeated_and_told(desk: Desk) -> None:
    desk.world.fail("hang", times=1)
    asking = asyncio.create_task(desk.ask("sim-large"))
    await until(lambda: desk.world.sim.bill.lines)
    asking.cancel()
    await asyncio.wait([asking])
    assert desk.states() == [State.INTENT]
    assert (await desk.ask("sim-large")).calls[0].outcome == "ok"
    assert [row.repeats for row in desk.ledger.rows.values()] == [1]


async def test_a_recorded_answer_neither_speaks_for_nor_against_its_model(desk: Desk) -> None:
    await desk.ask("sim-large")
    records = list(desk.world.breakers.records)
    await desk.ask("sim-large")
    assert desk.world.breakers.records == records
    assert desk.world.breakers.left == ["model:sim-large"] * 2, "it is not under way for ever"


async def test_a_probe_for_which_an_answer_was_found_is_made_by_the_next_request(desk: Desk) -> None:
    clock = itertools.count(0, 10)
    breakers = MemoryBreakers(BreakerPolicy(threshold=1, recovery=5, lease=10_000), clock=lambda: next(clock))
    await desk.ask("sim-large")
    desk.world.breakers = breakers  # type: ignore[assignment]
    breakers.record("model:sim-large", Failure.SERVER_ERROR)
    async with open_models(desk.world.registry("sim-large"), breakers, desk.ledger) as chains:
        models = chains.within(SCOPE)
        assert (await models.ask("analyst", PROMPT, InvoiceFields)).calls[0].outcome == "reused"
        [report] = await breakers.reports()
        assert report.state is BreakerState.HALF_OPEN
        second = await chains.within(SCOPE).ask("analyst", replace(PROMPT, sample=1), InvoiceFields)
    assert second.calls[0].outcome == "ok"
    [report] = await breakers.reports()
    assert report.state is BreakerState.CLOSED


class Strict(BaseModel):
    """What a reader may come to expect only later."""

    invoice_number: str

    @field_validator("invoice_number")
    @classmethod
    def short(cls, value: str) -> str:
        if len(value) > Strict.longest:
            raise ValueError("too long")
        return value


async def test_a_recorded_answer_that_a_reader_no_longer_accepts_is_repaired_not_believed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Strict, "longest", 100, raising=False)
    await desk.ask("sim-large", schema=Strict)
    monkeypatch.setattr(Strict, "longest", 1, raising=False)
    with pytest.raises(ModelFailed) as caught:
        await desk.ask("sim-large", schema=Strict)
    assert [call.outcome for call in caught.value.calls] == ["reused:schema_violation", "schema_violation"]


class Faster(MemoryLedger):
    """A ledger in which another process always accepts its own answer first."""

    async def end(self, record: Recorded) -> Recorded:
        other = replace(
            record, intent=replace(record.intent, ticket=1), result=record.result.replace("INV-2041", "EUR")
        )
        await super().end(other)
        return await super().end(record)


async def test_the_answer_that_was_accepted_first_is_everybodys_and_the_slower_call_is_told_all_the_same(
    world: World,
) -> None:
    answer = await Desk(world, Faster()).ask("sim-large")
    assert answer.value.invoice_number == "EUR"
    assert answer.calls[0].outcome == "ok"
    assert answer.calls[0].cost_usd > 0


class Closed(MemoryLedger):
    """A ledger that can keep nothing."""

    async def begin(self, intent: Intent) -> Begun:
        raise Unavailable("database", "away, and the spool is full")


async def test_where_nothing_can_be_noted_nothing_is_sent(world: World) -> None:
    desk = Desk(world, Closed())
    with pytest.raises(Unavailable):
        await desk.ask("sim-large")
    assert desk.sent == 0


async def test_models_asked_in_nobodys_work_are_not_recorded(world: World) -> None:
    ledger = MemoryLedger()
    async with open_models(world.registry(), world.breakers, ledger) as chains:
        await chains.ask("analyst", PROMPT, InvoiceFields)
    assert ledger.rows == {}
