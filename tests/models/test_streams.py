"""Streams over real HTTP: what goes wrong in them is bounded in time, paid for as it was, and never an answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.analyze.answers import InvoiceFields
from services.analyze.prompts import prompt_for
from shared.core.context import Answer, Prompt
from shared.core.failures import Failure
from shared.core.ledger import Scope, State
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelFailed, open_models
from shared.models.registry import Registry
from shared.models.transport import LARGEST_STREAM, send
from shared.models.wire import Reply
from shared.pipelines.document_types import Task
from tests.models.world import INVOICE, PROMPT, World, until

WIRES = ("sim-large", "sim-anthropic")
ENDS_WRONGLY = ("stream_cut", "stream_error", "stream_malformed", "stream_unterminated")
NEVER_ENDS = ("stream_stalled", "no_first_token")
SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
LIMIT = 0.4
"""Seconds to the first token and between two; signs of life come every tenth of a second."""


def registry(world: World, model: str, **changed: Any) -> Registry:
    """One model, its provider changed."""
    [found] = world.registry(model).chain("analyst")
    return Registry({"analyst": (replace(found, provider=replace(found.provider, **changed)),)})


async def ask(world: World, model: str, prompt: Prompt = PROMPT, **changed: Any) -> Answer[InvoiceFields]:
    async with open_models(registry(world, model, **changed), world.breakers) as chains:
        return await chains.ask("analyst", prompt, InvoiceFields)


def paid(world: World) -> Decimal:
    return Decimal(world.sim.bill.report()["cost_usd"])


@pytest.mark.parametrize("model", WIRES)
async def test_an_answer_in_pieces_is_that_in_one_with_its_tokens_and_its_price(world: World, model: str) -> None:
    whole, pieces = await ask(world, model, stream=False), await ask(world, model, stream=True)
    assert pieces.value == whole.value
    [one], [other] = pieces.calls, whole.calls
    assert replace(one, milliseconds=0) == replace(other, milliseconds=0)
    assert one.output_tokens > 50
    assert Decimal(str(one.cost_usd)) * 2 == paid(world)


@pytest.mark.parametrize("model", WIRES)
@pytest.mark.parametrize("fault", [*ENDS_WRONGLY, *NEVER_ENDS])
async def test_a_broken_stream_is_given_up_in_time_and_charged_as_it_was(world: World, fault: str, model: str) -> None:
    world.fail(fault)
    began = time.monotonic()
    with pytest.raises(ModelFailed) as caught:
        await ask(world, model, first_token=LIMIT, stall=LIMIT)
    assert time.monotonic() - began < 5
    expected = Failure.TIMEOUT if fault in NEVER_ENDS else Failure.STREAM_CUT
    assert caught.value.failure is expected
    assert world.breakers.records == [(f"model:{model}", expected)]
    [call] = caught.value.calls
    told = Decimal(str(call.cost_usd))
    if fault == "stream_malformed":
        # The rest was generated too, and nobody waited for it.
        assert 0 < told < paid(world)
    else:
        assert told == paid(world)
        assert (told == 0) is (fault == "no_first_token")


@pytest.mark.parametrize(
    ("fault", "said"), [("stream_stalled", "stood still for 0.4 s"), ("no_first_token", "no first token in 0.4 s")]
)
@pytest.mark.parametrize("model", WIRES)
async def test_the_limit_that_was_over_is_named(world: World, fault: str, said: str, model: str) -> None:
    world.fail(fault)
    with pytest.raises(ModelFailed, match=said):
        await ask(world, model, first_token=LIMIT, stall=LIMIT)


@pytest.mark.parametrize("fault", [*ENDS_WRONGLY, *NEVER_ENDS])
async def test_a_response_in_one_piece_fails_in_the_same_classes(world: World, fault: str) -> None:
    world.fail(fault)
    with pytest.raises(ModelFailed) as caught:
        await ask(world, "sim-large", stream=False, timeout=LIMIT)
    assert caught.value.failure is (Failure.TIMEOUT if fault in NEVER_ENDS else Failure.STREAM_CUT)


@pytest.mark.parametrize("model", WIRES)
async def test_a_call_that_is_cancelled_in_mid_stream_closes_its_connection(world: World, model: str) -> None:
    world.fail("stream_stalled")
    asking = asyncio.create_task(ask(world, model))
    await until(lambda: world.sim.bill.report()["calls"])
    assert len(world.sim.sockets) == 1
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: not world.sim.sockets)
    assert world.breakers.records == []


@pytest.mark.parametrize("fault", ["stream_malformed", *NEVER_ENDS])
async def test_a_stream_that_is_given_up_leaves_no_connection_behind(world: World, fault: str) -> None:
    world.fail(fault)
    async with open_models(registry(world, "sim-large", first_token=LIMIT, stall=LIMIT), world.breakers) as chains:
        with pytest.raises(ModelFailed):
            await chains.ask("analyst", PROMPT, InvoiceFields)
        await until(lambda: not world.sim.sockets)


async def test_a_stream_read_to_its_end_leaves_its_connection_to_the_next(world: World) -> None:
    seen: set[tuple[str, int]] = set()
    async with open_models(registry(world, "sim-large"), world.breakers) as chains:
        for _ in range(10):
            await chains.ask("analyst", PROMPT, InvoiceFields)
            seen |= set(world.sim.sockets)
    assert len(seen) == 1


async def test_many_streams_at_once_each_give_their_own_answer(world: World) -> None:
    world.fail("stream_cut", share=0.25)
    prompts = [prompt_for(Task.EXTRACTION, "invoice", INVOICE.replace("2041", f"{n:04}")) for n in range(80)]
    async with open_models(registry(world, "sim-large"), world.breakers) as chains:
        asked = (chains.ask("analyst", prompt, InvoiceFields) for prompt in prompts)
        ended = await asyncio.gather(*asked, return_exceptions=True)
    answers = [answer.value.invoice_number if isinstance(answer, Answer) else "" for answer in ended]
    assert answers.count("") == 20
    assert all(answer in ("", f"INV-{n:04}") for n, answer in enumerate(answers))


async def test_a_cut_stream_is_recorded_with_what_came_of_it_and_asked_for_again(world: World) -> None:
    world.fail("stream_cut", times=1)
    ledger = MemoryLedger()
    async with open_models(registry(world, "sim-large"), world.breakers, ledger) as chains:
        models = chains.within(SCOPE)
        with pytest.raises(ModelFailed):
            await models.ask("analyst", PROMPT, InvoiceFields)
        [row] = ledger.rows.values()
        cut = json.loads(row.record.result)
        assert (row.record.state, cut["text"][:1], cut["estimated"]) == (State.FAILED, "{", True)
        outcomes = [(await models.ask("analyst", PROMPT, InvoiceFields)).calls[0].outcome for _ in range(2)]
    assert outcomes == ["ok", "reused"]
    [row] = ledger.rows.values()
    assert (row.record.state, world.sim.bill.report()["calls"]) == (State.ACCEPTED, 2)


async def test_what_was_answered_in_pieces_is_not_paid_again_in_one(world: World) -> None:
    ledger = MemoryLedger()
    outcomes = []
    for stream in (True, False):
        async with open_models(registry(world, "sim-large", stream=stream), world.breakers, ledger) as chains:
            answer = await chains.within(SCOPE).ask("analyst", PROMPT, InvoiceFields)
            outcomes.append(answer.calls[0].outcome)
    assert outcomes == ["ok", "reused"]


class Endless(httpx.AsyncByteStream):
    """A body that never ends."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield self.piece


async def answered(world: World, respond: Callable[[httpx.Request], httpx.Response], **changed: Any) -> Reply:
    [model] = registry(world, "sim-large", **changed).chain("analyst")
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        return (await send(client, model, PROMPT, {}))[0]


def streamed(piece: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Endless(piece))


async def test_a_stream_that_goes_on_and_on_ends_with_the_time_of_the_whole_call(world: World) -> None:
    piece = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
    reply = await answered(world, streamed(piece), timeout=LIMIT)
    assert (reply.failure, reply.text[:2]) == (Failure.TIMEOUT, "aa")
    assert reply.message.endswith("no answer in 0.4 s")


@pytest.mark.parametrize("piece", [b"x" * 262_144, b": x\n" * 65_536])
async def test_a_stream_without_sense_or_measure_ends_at_the_size_bound(world: World, piece: bytes) -> None:
    reply = await answered(world, streamed(piece))
    assert (reply.failure, reply.text) == (Failure.STREAM_CUT, "")
    assert f"longer than {LARGEST_STREAM} bytes" in reply.message


async def test_an_answer_is_not_lost_where_the_body_never_ends_behind_it(world: World) -> None:
    chunks = [{"choices": [{"delta": {"content": "{}"}, "finish_reason": "stop"}]}]
    piece = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    assert (await answered(world, streamed(piece))).text == "{}"


@pytest.mark.parametrize(
    ("status", "kind", "failure"),
    [
        (200, "application/json", None),
        (200, "text/html", Failure.SERVER_ERROR),
        (429, "text/event-stream", Failure.RATE_LIMITED),
    ],
)
async def test_a_server_that_answers_in_one_piece_all_the_same_is_understood(
    world: World, status: int, kind: str, failure: Failure | None
) -> None:
    body = {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}
    content = json.dumps(body).encode() if kind == "application/json" else b"data: {}\n\n"
    response = httpx.Response(status, headers={"content-type": kind}, content=content)
    reply = await answered(world, lambda _: response)
    assert reply.failure is failure
    # This one does not count; what it sent as a page may have been an answer, and be paid.
    assert reply.estimated == (status == 200)
    assert (reply.input_tokens > 0, reply.output_tokens) == ((True, 1) if failure is None else (False, 0))
