"""What may be said of a document beyond where it is: what it waits for, what is next, when it is out, if it is stuck.

It is asked of the journal and of the registry. Where one of them is away, or knows nothing, that is said, and the rest
of the answer stands: where a document is the topics tell alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.cli.session import Session
from shared.cli.verbs.breakers import registry
from shared.core.errors import Misconfigured, Unavailable
from shared.core.expectation import Expectation, Flow, Queue, Standing, expected
from shared.core.passes import Pass
from shared.core.stuck import Shut, Shuts, is_stuck, limits, ripe, still
from shared.core.way import Branch, branches, stages_after
from shared.database.passes import Passes
from shared.kafka.whereabouts import RETRY, WAITING, Whereabouts
from shared.runtime.stalls import shuts_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of a document that is under way."""

    attempts: int = 0
    """Tries that its stage makes in all."""
    ripe_at: datetime
    """From when on it could be worked on."""
    held: Sequence[Shut] = ()
    """What it may wait for: its stage's pause, open breakers."""
    before: int | None = None
    """Records of its stage's queue that go first; None: not known."""
    next: Sequence[Branch] = ()
    """The ways that lead from its stage to the end."""
    expected: Expectation = field(default_factory=Expectation)
    """When it is out of the stages."""
    limit: float | None = None
    """Seconds beyond which such a document is stuck; None: not known."""
    stuck: bool = False
    """It is."""
    unknown: Sequence[str] = ()
    """Who could not be asked, and why."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal says."""

    passes: Sequence[Pass] = ()
    """How others fared."""
    queues: Mapping[str, Queue] = field(default_factory=dict)
    """What stands before a document at each stage."""
    trouble: str = ""
    """Why there is nothing to go by, in one sentence."""


async def outlook_of(session: Session, where: Whereabouts, now: datetime) -> Outlook:
    """Ask everybody who knows."""
    pipeline = session.pipeline
    try:
        stage = pipeline.stage(where.stage)
    except Misconfigured:
        # The header of a review can name a stage that the pipeline no longer has.
        return Outlook(ripe_at=where.since)
    shuts, away = await shuts_of(pipeline.name)
    found = Outlook(
        attempts=pipeline.retry_policy(stage).attempts,
        ripe_at=ripe(pipeline, where.stage, where.position.partition("/")[0], where.since),
        held=shuts.of(stage),
        next=branches(pipeline, stage),
        unknown=(away,) if away else (),
    )
    if where.state not in (WAITING, RETRY):
        return found
    known = await known_of(session, where, now)
    if known.trouble:
        told = Expectation(why=f"unknown: {known.trouble}")
        return replace(found, expected=told, unknown=(*found.unknown, known.trouble))
    return foreseen(session, where, found, known, now)


def foreseen(session: Session, where: Whereabouts, found: Outlook, known: Known, now: datetime) -> Outlook:
    """The same with what the journal tells of others."""
    queue = known.queues.get(where.stage)
    seconds = limits(session.pipeline, known.passes, now).get(where.stage)
    held = still(found.held, where.stage, known.passes)
    if held:
        name = "it was paused" if held[0].name == where.stage else f"{held[0].name} is open"
        told = Expectation(why=f"unknown: nobody has left {where.stage} since {name}")
    else:
        own = next((one.document_type for one in known.passes if one.document_id == where.document_id), "")
        flow = Flow(known.passes, known.queues, stages_after(session.pipeline, where.stage), now)
        told = expected(Standing(where.stage, where.state, where.since, own), flow)
    return replace(
        found,
        held=held,
        before=queue.ahead if queue else 0,
        expected=told,
        limit=seconds,
        stuck=is_stuck(where.state, found.ripe_at, seconds, held, now),
    )


async def known_of(session: Session, where: Whereabouts, now: datetime) -> Known:
    """Ask the journal."""
    try:
        async with session.database() as database:
            journal = Passes(database, session.pipeline.name)
            passes, queues = await journal.last(now), await journal.queues(where.stage, where.since)
    except Unavailable as error:
        return Known(trouble=f"the journal cannot be asked: {error.message}")
    return Known(passes, queues, "" if passes else "the journal is empty; does its service run?")


async def shuts_of(pipeline: str) -> tuple[Shuts, str]:
    """Open breakers and paused stages; and why these are not known, where they are not."""
    try:
        async with registry() as known:
            return shuts_in(pipeline, await known.reports()), ""
    except Unavailable as error:
        return Shuts(), f"breakers and pauses are not known: {error.message}"
