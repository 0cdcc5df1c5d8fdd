"""A second pipeline, written as a team would write its own: two stages, by public means only.

    triage -> close -> results

Subjects make it fail on purpose: `spam` for good at triage, `busy` in passing, `doubtful` asks for a person.
"""

from datetime import timedelta

from shared.core.context import Context
from shared.core.failures import Failure
from shared.core.graph import ANY, DEAD_LETTERS, EVERY_STAGE, RESULTS, REVIEW, Pipeline, edge, on_failure
from shared.core.outcome import DeadLetter, Emit, Outcome, Retry, Review
from shared.core.retry import RetryPolicy
from shared.core.stage import stage
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged

TRIAGE = stage("triage", takes=TicketOpened, gives=TicketTriaged)
CLOSE = stage("close", takes=TicketTriaged, gives=TicketClosed)

TICKETS = Pipeline(
    "tickets",
    flow=(edge(TRIAGE, CLOSE), edge(CLOSE, RESULTS)),
    failures=(
        on_failure(TRIAGE, Failure.LOW_CONFIDENCE, REVIEW),
        on_failure(EVERY_STAGE, ANY, DEAD_LETTERS),
    ),
    retries=RetryPolicy(tiers=(1.0, 2.0), first_backoff=1.0),
    partitions=3,
)


@TRIAGE
def triage(ticket: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
    """Decide how urgent a ticket is; cheap, so it is a plain function."""
    urgent = "urgent" in ticket.subject
    triaged = TicketTriaged(
        document_id=ticket.document_id,
        subject=ticket.subject,
        urgent=urgent,
        due_at=ticket.opened_at + timedelta(hours=1) if urgent else None,
    )
    if "busy" in ticket.subject and ctx.attempt == 1:
        return Retry(Failure.OVERLOADED, "nobody had time for it")
    if "spam" in ticket.subject:
        return DeadLetter(Failure.UNSUPPORTED, "spam is not answered: open a ticket with a question")
    if "doubtful" in ticket.subject:
        return Review("is this a ticket at all?", proposal=triaged)
    return Emit(triaged)


@CLOSE
async def close(ticket: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
    """Answer a ticket; slow in real life, so it is a coroutine."""
    answer = "at once" if ticket.urgent else "in time"
    return Emit(TicketClosed(document_id=ticket.document_id, answer=f"{ticket.subject}: {answer}"))
