"""Which documents of a pipeline are stuck: what the journal says, as far as the topics agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.cli.outlook import shuts_of
from shared.cli.session import Session
from shared.cli.standing import survey_of
from shared.core.drawing import in_order
from shared.core.passes import FEW
from shared.core.stuck import limits
from shared.database.passes import Passes
from shared.runtime.stalls import stuck_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """One document that is longer in its place than others explain."""

    document_id: str
    """The document."""
    stage: str
    """At which stage."""
    state: str
    """Waiting, or in retry."""
    since: datetime
    """Since when."""
    attempts: int
    """Tries that failed there."""
    failure: str
    """Class of the last failure."""
    limit: float
    """Seconds beyond which a document is stuck there."""
    position: str
    """Where its record stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """All of them."""

    at: datetime
    """When it was looked."""
    documents: Sequence[Stuck] = ()
    """The stuck ones, stage by stage, the oldest first."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Stage to the seconds beyond which a document is stuck there."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Stage, or registry, of which too little is known, and why."""


async def stalled_in(session: Session, now: datetime) -> Stalled:
    """Look for them. Raises Unavailable where there is no journal: the topics alone know no distribution."""
    pipeline = session.pipeline
    shuts, away = await shuts_of(pipeline.name)
    async with session.database() as database:
        journal = Passes(database, pipeline.name)
        passes = await journal.last(now)
        rows = await stuck_in(journal, pipeline, passes, shuts, now)
    names = {str(row["document_id"]) for several in rows.values() for row in several}
    # The journal may be behind, and then a document is long gone that stands still there.
    there = survey_of(session).several(names) if names else {}
    found = [
        Stuck(
            document_id=row["document_id"],
            stage=stage,
            state=row["state"],
            since=row["at"],
            attempts=row["attempts"],
            failure=row["failure"],
            limit=row["limit"],
            position=where.position,
        )
        for stage, several in rows.items()
        for row in several
        if (where := there.get(row["document_id"])) and (where.stage, where.state) == (stage, row["state"])
    ]
    known = limits(pipeline, passes, now)
    few = f"fewer than {FEW} documents have left it within the journal's memory"
    unknown = {stage.name: few for stage in in_order(pipeline) if stage.name not in known}
    return Stalled(at=now, documents=found, limits=known, unknown=unknown | ({"registry": away} if away else {}))
