"""Run a stage of the tiny pipeline, as a user's own `__main__` would: `python -m tests.pipeline.tiny STAGE`.

TINY_PIPELINE gives each test a pipeline of its own; TINY_SECONDS makes `close` as slow as a model. While the file
TINY_AWAY is there, what `close` needs for subjects that begin with `x` is away. A ticket about poison kills the process
that closes it, as a segmentation fault would.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from shared.core.context import Context
from shared.core.errors import Unavailable
from shared.core.outcome import Outcome
from shared.runtime.stage_service import serve
from tests.pipeline.tiny.events import TicketClosed, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, close, triage

SECONDS = float(os.environ.get("TINY_SECONDS", "0"))
AWAY = Path(os.environ.get("TINY_AWAY", "nowhere"))


@CLOSE
async def close_slowly(ticket: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
    """Close it after a while."""
    if ticket.subject.startswith("x") and is_away():
        raise Unavailable("x-service", "what x needs is away", after=0.2)
    if ticket.subject == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(SECONDS)
    outcome: Outcome[TicketClosed] = await close.call(ticket, ctx)
    return outcome


def is_away() -> bool:
    """Whether what x needs is away."""
    return AWAY.exists()


if __name__ == "__main__":
    serve(replace(TICKETS, name=os.environ["TINY_PIPELINE"]), {"triage": triage, "close": close_slowly}[sys.argv[1]])
