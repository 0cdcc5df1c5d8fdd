"""Where documents are, by everything that knows: the topics, the table of results, the table of reviews."""

from collections.abc import Mapping
from typing import Any

from shared.cli.session import Session
from shared.core.errors import Failed
from shared.database.pool import Database
from shared.database.results import ResultsTable
from shared.database.reviews import ReviewsTable
from shared.kafka.reading import Reader
from shared.kafka.whereabouts import REVIEW, WAITING, Survey, Whereabouts
from shared.ports import ReviewItem

MANY = 1_000_000
"""More rows than a batch has."""


async def standing_of(session: Session, document_id: str) -> tuple[Whereabouts | None, Mapping[str, Any] | None]:
    """Where one document is, and its stored result; looked for twice, since it may move while this looks."""
    survey = survey_of(session)
    for _ in range(2):
        where, row = await _look(session, survey, document_id)
        if where is not None:
            return where, row
    return await _decided(session, document_id), None


async def _decided(session: Session, document_id: str) -> Whereabouts | None:
    """A document that is nowhere because its decision stands in the outbox and has not been sent yet."""
    if not session.has_database:
        return None
    async with session.database() as database:
        items = await ReviewsTable(database, session.pipeline.name).decided_after(0, MANY)
    return next((reviewed(item) for item in reversed(items) if item.document_id == document_id), None)


async def _look(
    session: Session, survey: Survey, document_id: str
) -> tuple[Whereabouts | None, Mapping[str, Any] | None]:
    row, reviews = await _tables(session, document_id)
    found = [stored(row)] if row else []
    found += [reviewed(item) for item in reviews]
    # The results topic is as long as the pipeline's life: asked only where no table knows the document.
    where = survey.find(document_id, ends=not found)
    return max([*found, *([where] if where else [])], key=lambda w: w.rank, default=None), row


async def _tables(session: Session, document_id: str) -> tuple[Mapping[str, Any] | None, list[ReviewItem]]:
    if not session.has_database:
        return None, []
    async with session.database() as database:
        row = await ResultsTable(database, session.pipeline.name).find(document_id)
        return row, [item for item in await _reviews(session, database) if item.document_id == document_id]


async def _reviews(session: Session, database: Database) -> list[ReviewItem]:
    return list(await ReviewsTable(database, session.pipeline.name).waiting(MANY))


async def standing_of_batch(session: Session, batch_id: str) -> dict[str, Whereabouts]:
    """Every document of a batch that is known anywhere."""
    found = survey_of(session).batch(batch_id)
    if not session.has_database:
        return found
    async with session.database() as database:
        rows = await ResultsTable(database, session.pipeline.name).list(batch_id=batch_id, limit=MANY)
        reviews = await _reviews(session, database)
    tables = [stored(row) for row in rows]
    tables += [where for item in reviews if (where := reviewed(item, _batch(session, item))).batch_id == batch_id]
    for where in tables:
        before = found.get(where.document_id)
        if before is None or before.rank <= where.rank:
            found[where.document_id] = where
    return found


def survey_of(session: Session) -> Survey:
    """The topics' side."""
    return Survey(Reader(session.kafka), session.pipeline, session.codec, session.ends)


def stored(row: Mapping[str, Any]) -> Whereabouts:
    """A row of the table of results."""
    return Whereabouts(
        document_id=row["document_id"],
        state=row["state"],
        since=row["finished_at"],
        message=row["reason"],
        batch_id=row["batch_id"],
    )


def reviewed(item: ReviewItem, batch_id: str = "") -> Whereabouts:
    """A row of the table of reviews; decided ones are on their way to the next stage."""
    return Whereabouts(
        document_id=item.document_id,
        state=WAITING if item.sequence else REVIEW,
        since=item.requested_at,
        stage=item.stage,
        failure=item.failure,
        message=item.reason,
        position=item.review_id,
        batch_id=batch_id,
    )


def _batch(session: Session, item: ReviewItem) -> str:
    kinds = tuple({kind: None for stage in session.pipeline.stages for kind in stage.gives})
    try:
        return str(getattr(session.codec.decode(item.proposal, kinds), "batch_id", ""))
    except Failed:
        return ""
