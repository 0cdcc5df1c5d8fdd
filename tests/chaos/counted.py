"""The tiny pipeline's `close` with calls that can be counted: `python -m tests.chaos.counted [after-triage]`.

It stands alone in its pipeline, or after `triage` as in tiny. TINY_PIPELINE names the pipeline, COUNTED_SECONDS how
long a call takes, COUNTED_CALLS the file that gets a line for each call when it begins: key, subject, process. The
answer names the process too, so that an auditor can tell whose call a result came from.
"""

import asyncio
import os
import sys
from dataclasses import replace

from shared.core.context import Context
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, Pipeline, edge, on_failure
from shared.core.outcome import Emit, Outcome
from shared.core.retry import RetryPolicy
from shared.runtime.stage_service import serve
from tests.pipeline.tiny.events import TicketClosed, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS

COUNTED = Pipeline(
    "counted",
    flow=(edge(CLOSE, RESULTS),),
    failures=(on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),),
    retries=RetryPolicy(tiers=(1.0,), first_backoff=1.0),
    partitions=3,
)


@CLOSE
async def close(ticket: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
    """Count the call, take the time of a model, and answer."""
    line = f"{ticket.document_id} {ticket.subject} {os.getpid()}\n"
    # One write to a file opened for appending: lines of several processes never mix, and a kill loses none.
    calls = os.open(os.environ["COUNTED_CALLS"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(calls, line.encode())
    os.close(calls)
    await asyncio.sleep(float(os.environ["COUNTED_SECONDS"]))
    return Emit(TicketClosed(document_id=ticket.document_id, answer=f"{ticket.subject} {os.getpid()}"))


if __name__ == "__main__":
    serve(replace(TICKETS if "after-triage" in sys.argv else COUNTED, name=os.environ["TINY_PIPELINE"]), close)
