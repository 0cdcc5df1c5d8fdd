"""A stage is named as topics can be, and knows from a handler's form how it is run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from shared.core.context import Context
from shared.core.errors import Misconfigured
from shared.core.outcome import Emit, Outcome
from shared.core.stage import RESERVED, Style, stage
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE


@pytest.mark.parametrize("name", ["", "Close", "close-it", "close.it", "9lives", " close", *sorted(RESERVED)])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="a name is lower-case letters"):
        stage(name, takes=TicketOpened, gives=TicketClosed)


def test_a_stage_may_take_events_of_two_types() -> None:
    both = stage("both", takes=(TicketOpened, TicketTriaged), gives=TicketClosed)
    assert both.takes == (TicketOpened, TicketTriaged)
    assert both.gives == (TicketClosed,)


def test_a_batch_handler_is_run_as_one() -> None:
    @CLOSE.batch
    async def handler(tickets: Sequence[TicketTriaged], ctx: Context) -> Sequence[Outcome[TicketClosed]]:
        return [Emit() for _ in tickets]

    assert handler.style is Style.BATCH
    assert handler.stage is CLOSE


def test_a_handler_brings_its_settings_and_what_it_opens() -> None:
    class Mine:
        """Settings of its own."""

    @asynccontextmanager
    async def opened(settings: Mine) -> AsyncIterator[str]:
        yield "open"

    @CLOSE.handler(settings=Mine, opens=opened)
    def handler(ticket: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
        return Emit()

    assert (handler.style, handler.settings, handler.opens) == (Style.CHEAP, Mine, opened)
