"""Every way in which a provider fails becomes its failure class, on both wires, over real HTTP."""

import httpx
import pytest

from infra.modelsim.app import ModelSim
from shared.core.failures import Failure
from shared.core.tally import BLAMED
from shared.models.client import ModelFailed
from shared.models.transport import send
from tests.models.world import PROMPT, World

WIRES = ("sim-large", "sim-anthropic")
AT_ONCE = (
    "rate_limited",
    "overloaded",
    "server_error",
    "connection",
    "stream_cut",
    "refusal",
    "content_policy",
    "token_limit",
    "auth",
    "model_unknown",
)
OF_THE_ANSWER = {"refusal", "content_policy", "token_limit", "malformed_json", "schema_violation", "truncated"}
AFTER_A_REPAIR = ("malformed_json", "schema_violation", "truncated")


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize("fault", [*AT_ONCE, *AFTER_A_REPAIR])
async def test_each_fault_becomes_its_class_and_only_the_providers_count_against_its_breaker(
    world: World, fault: str, model: str
) -> None:
    world.fail(fault)
    with pytest.raises(ModelFailed) as caught:
        await world.ask(model)
    assert caught.value.failure is Failure(fault)
    assert [call.outcome for call in caught.value.calls] == [fault] * (2 if fault in AFTER_A_REPAIR else 1)
    assert set(world.breakers.records) == {(f"model:{model}", Failure(fault))}
    assert (Failure(fault) in BLAMED) is (fault not in OF_THE_ANSWER)


@pytest.mark.parametrize("model", WIRES)
async def test_a_provider_that_hangs_is_given_up_as_a_timeout(world: World, model: str) -> None:
    world.fail("hang")
    with pytest.raises(ModelFailed, match="no answer in") as caught:
        await world.ask(model, seconds=0.3)
    assert caught.value.failure is Failure.TIMEOUT


@pytest.mark.parametrize("model", WIRES)
async def test_a_provider_that_is_not_there_is_a_lost_connection(world: World, model: str) -> None:
    gone = World(world.sim, "http://127.0.0.1:9")
    with pytest.raises(ModelFailed) as caught:
        await gone.ask(model)
    assert caught.value.failure is Failure.CONNECTION


async def test_a_provider_that_takes_no_connection_is_told_apart_from_one_that_does_not_answer() -> None:
    def full(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("", request=request)

    [model] = World(ModelSim(), "http://127.0.0.1:9").registry("sim-large").chain("analyst")
    async with httpx.AsyncClient(transport=httpx.MockTransport(full)) as client:
        reply, _ = await send(client, model, PROMPT, {})
    assert reply.failure is Failure.TIMEOUT
    assert reply.message.endswith("no connection in 5 s")


@pytest.mark.parametrize("fault", ["rate_limited", "overloaded"])
async def test_what_the_provider_asks_to_wait_is_handed_on(world: World, fault: str) -> None:
    world.fail(fault)
    with pytest.raises(ModelFailed) as caught:
        await world.ask("sim-large")
    assert caught.value.after == 2.0


@pytest.mark.parametrize("model", WIRES)
async def test_an_invented_value_is_an_answer_like_any_other_here(world: World, model: str) -> None:
    world.fail("ungrounded")
    answer = await world.ask(model)
    assert answer.value.vendor == "invented vendor 7QX"


@pytest.mark.parametrize("model", WIRES)
async def test_a_doubtful_answer_says_its_confidence(world: World, model: str) -> None:
    world.fail("low_confidence")
    assert (await world.ask(model)).value.confidence == 0.2


async def test_a_fault_can_be_tied_to_what_a_document_holds(world: World) -> None:
    world.fail("server_error", match="another document")
    assert (await world.ask("sim-large")).value.invoice_number == "INV-2041"
