"""A stage that pays, as a process: `python -m tests.chaos.paying`.

Every call it makes is a line in a file that no transaction and no ledger knows of: PAYING_BILL. `call` when it is made,
`recorded` when the ledger has its result; the handler holds on for a while between that and its end.
"""

import asyncio
import os
from dataclasses import replace

from shared.core.context import Context
from shared.core.outcome import Emit, Outcome
from shared.runtime.stage_service import serve
from tests.pipeline.tiny.events import TicketClosed, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS

SECONDS = float(os.environ.get("PAYING_SECONDS", "0.3"))
"""Of a call, and of the handler after it."""


def note(what: str, document_id: str) -> None:
    """Add a line to the bill; one write of few bytes, so that lines of many processes never mix."""
    file = os.open(os.environ["PAYING_BILL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{what} {document_id} {os.getpid()}\n".encode())
    os.close(file)


@CLOSE
async def close(ticket: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
    """Close a ticket with an answer that is paid for."""

    async def answer() -> str:
        note("call", ticket.document_id)
        await asyncio.sleep(SECONDS)
        return f"the answer to {ticket.document_id}"

    said = await ctx.once("answer", answer, kind=str)
    note("recorded", ticket.document_id)
    await asyncio.sleep(SECONDS)
    return Emit(TicketClosed(document_id=ticket.document_id, answer=said))


if __name__ == "__main__":
    serve(replace(TICKETS, name=os.environ["TINY_PIPELINE"]), close)
