"""Handlers alone and pipelines in memory, as a team tests its own."""

import pytest

from schemas.events import DocumentSubmitted
from services.classify.stage import classify
from services.extract.stage import extract
from services.store.stage import store
from shared.core.context import Context
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Outcome, Park, Retry, Review
from shared.memory.results import MemoryResults
from shared.pipelines.documents import DOCUMENTS
from shared.testing import Ports, answering, run, stations
from tests.pipeline.tiny.events import TicketClosed, TicketOpened, TicketTriaged
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE
from tests.unit.records import ticket


def triaged(event: TicketOpened) -> TicketTriaged:
    """What triage gives."""
    return TicketTriaged(document_id=event.document_id, subject=event.subject, urgent=False)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Failed(Failure.CORRUPT, "broken"), DeadLetter(Failure.CORRUPT, "broken")),
        (Failed(Failure.OVERLOADED, "busy", 3.0), Retry(Failure.OVERLOADED, "busy", 3.0)),
        (Unavailable("database", "away"), Park("database", "away", 1.0)),
        (ZeroDivisionError("oh"), Retry(Failure.INTERNAL, "ZeroDivisionError: oh")),
    ],
)
async def test_what_a_handler_raises_becomes_the_outcome_it_has_in_a_service(
    error: Exception, outcome: Outcome[object]
) -> None:
    @TRIAGE
    def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        raise error

    assert await run(handler, ticket()) == outcome


async def test_our_own_mistake_is_nobodys_outcome() -> None:
    @TRIAGE
    async def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        raise Misconfigured("no such chain")

    with pytest.raises(Misconfigured):
        await run(handler, ticket())


async def test_a_function_plays_the_models() -> None:
    @TRIAGE
    async def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        answer = await ctx.models.ask("triager", None, dict)  # type: ignore[arg-type]
        return Review(answer.value["why"], triaged(event))

    outcome = await run(
        handler, ticket(), ports=Ports(models=answering(lambda chain, prompt: {"why": f"says {chain}"}))
    )
    assert isinstance(outcome, Review)
    assert outcome.reason == "says triager"


async def test_a_retry_comes_at_once_and_ends_as_a_dead_letter_when_no_attempt_is_left() -> None:
    attempts = []

    @TRIAGE
    def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        attempts.append(ctx.attempt)
        return Retry(Failure.OVERLOADED, "busy")

    @CLOSE
    def close(event: TicketTriaged, ctx: Context) -> Outcome[TicketClosed]:
        raise AssertionError("never reached")

    async with stations(TICKETS, [handler, close]) as line:
        journey = await line.run(ticket())
    assert attempts == [1, 2, 3]
    assert (journey.state, journey.outcome, journey.stage) == ("dead-lettered", "overloaded", "triage")


async def test_what_waits_for_a_dependency_is_told_and_not_waited_for() -> None:
    @TRIAGE
    def handler(event: TicketOpened, ctx: Context) -> Outcome[TicketTriaged]:
        raise Unavailable("model:large", "its breaker is open")

    async with stations(TICKETS, [handler]) as line:
        journey = await line.run(ticket())
    assert (journey.state, journey.failure, journey.message) == ("waiting", "model:large", "its breaker is open")


async def test_a_document_goes_from_its_bytes_to_the_table_of_results() -> None:
    results = MemoryResults()
    letter = b"Dear Ms Novak,\n\nthank you for your letter of 3 March.\n\nYours sincerely,\nAnna Berg\n"
    async with stations(DOCUMENTS, [extract, classify, store], Ports(results=results)) as line:
        journey = await line.run(DocumentSubmitted(document_id="d1", content=letter, filename="letter.txt"))
        again = await line.run(DocumentSubmitted(document_id="d1", content=letter, filename="letter.txt"))
        part = await line.run(DocumentSubmitted(document_id="d2", content=letter), until="extract")
    assert (journey.state, journey.outcome, journey.result.document_type) == ("stored", "ok", "letter")
    assert list(journey.emitted) == ["extract", "classify", "store"]
    assert (await results.find("d1") or {})["state"] == "stored"
    # The same record once more, as after a crash: its events have the same ids, and it finds its own row.
    assert again.state == "stored"
    assert (part.state, part.result.text.split()[0]) == ("passed", "Dear")
