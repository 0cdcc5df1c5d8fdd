"""`ctx.once`: a step is made once, and what it made is found again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pytest

from shared.core.context import Context
from shared.core.errors import Failed, Misconfigured
from shared.core.failures import Failure
from shared.core.outcome import Emit, Outcome, Retry
from shared.core.stage import Handler
from shared.memory.ledger import MemoryLedger
from shared.testing import Ports, run, stations
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import ticket


@dataclass(frozen=True)
class Page:
    """What a step makes."""

    number: int
    read_on: date
    words: tuple[str, ...] = ()


class Steps:
    """Counts what was made."""

    def __init__(self, *values: object) -> None:
        self.values = list(values)
        self.made = 0

    async def __call__(self) -> object:
        self.made += 1
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, Exception):
            raise value
        return value


def handler_of(make: Steps, key: str = "page 1", kind: type[object] | None = None) -> tuple[Handler, list[object]]:
    seen: list[object] = []

    @TRIAGE
    async def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        seen.append(await ctx.once(key, make, kind=kind))
        return Emit(TicketTriaged(document_id=event.document_id, subject=event.subject, urgent=False))

    return handler, seen


async def test_a_step_is_made_once_for_a_content_and_again_for_another() -> None:
    make, ports = Steps({"words": 3}), Ports()
    handler, seen = handler_of(make)
    for _ in range(3):
        assert isinstance(await run(handler, ticket(), ports=ports), Emit)
    assert (make.made, seen) == (1, [{"words": 3}] * 3)
    await run(handler, ticket("another"), ports=ports)
    await run(handler, ticket(document_id="t2"), ports=ports)
    assert make.made == 3


async def test_its_value_is_of_its_kind_at_the_first_time_and_at_every_other() -> None:
    page = Page(1, date(2026, 3, 1), ("a", "b"))
    handler, seen = handler_of(Steps(page), kind=Page)
    ports = Ports()
    for _ in range(2):
        await run(handler, ticket(), ports=ports)
    assert seen == [page, page]
    # Without a kind it is what JSON gives back, at once.
    plain, raw = handler_of(Steps((1, 2)))
    for _ in range(2):
        await run(plain, ticket(), ports=Ports())
    assert raw == [[1, 2], [1, 2]]


async def test_a_step_that_fails_is_made_again_and_those_before_it_are_not() -> None:
    first, second = Steps("one"), Steps(Failed(Failure.OVERLOADED, "busy"), "two")

    @TRIAGE
    async def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        subject = f"{await ctx.once('1', first)} {await ctx.once('2', second)}"
        return Emit(TicketTriaged(document_id=event.document_id, subject=subject, urgent=False))

    ledger = MemoryLedger()
    ports = Ports(ledger=ledger)
    assert await run(handler, ticket(), ports=ports) == Retry(Failure.OVERLOADED, "busy")
    outcome = await run(handler, ticket(), ports=ports, attempt=2)
    assert isinstance(outcome, Emit)
    assert outcome.events[0].subject == "one two"
    assert (first.made, second.made) == (1, 2)
    assert [row.repeats for row in ledger.rows.values()] == [0, 0]


@pytest.mark.parametrize(("value", "kind"), [(object(), None), ("no page", Page), (float("nan"), int)])
async def test_a_value_that_cannot_be_kept_is_named(value: object, kind: type[object] | None) -> None:
    handler, _ = handler_of(Steps(value), kind=kind)
    outcome = await run(handler, ticket())
    assert isinstance(outcome, Retry)
    assert "once('page 1')" in outcome.message


async def test_a_batch_has_no_steps() -> None:
    @TRIAGE.batch
    async def handler(events: object, ctx: Context) -> list[Outcome[TicketTriaged]]:
        await ctx.once("key", Steps(1))
        return []

    with pytest.raises(Misconfigured, match=r"once\('key'\): a step belongs to one document"):
        await run(handler, ticket())


async def test_in_a_line_a_retry_finds_the_steps_of_the_try_before() -> None:
    step, tries = Steps("paid"), []

    @TRIAGE
    async def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        said = await ctx.once("key", step, kind=str)
        tries.append(ctx.attempt)
        if ctx.attempt < 3:
            return Retry(Failure.OVERLOADED, "busy")
        return Emit(TicketTriaged(document_id=event.document_id, subject=said, urgent=False))

    @CLOSE
    def close(event: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
        return Emit(TicketClosed(document_id=event.document_id, answer=event.subject))

    async with stations(replace(TICKETS, tenant=lambda event: "acme"), [handler, close]) as line:
        journey = await line.run(ticket())
    assert (step.made, tries, journey.result.answer) == (1, [1, 2, 3], "paid")
