"""Where documents are, by everything that knows: the topics, the table of results, the table of reviews."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.cli.session import Session
from shared.core.cancellation import DOCUMENT
from shared.core.errors import Failed, Unavailable
from shared.database.results import ResultsTable
from shared.database.reviews import ReviewsTable
from shared.kafka.cancelled import words
from shared.kafka.reading import Reader
from shared.kafka.whereabouts import REVIEW, WAITING, Survey, Whereabouts, told_of
from shared.ports import ReviewItem

T = TypeVar("T")

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
        items = await ReviewsTable(database, session.pipeline.name).of(document_id)
    decided = max(items, key=lambda item: item.sequence, default=None)
    return reviewed(decided) if decided else None


async def _look(
    session: Session, survey: Survey, document_id: str
) -> tuple[Whereabouts | None, Mapping[str, Any] | None]:
    found, row = await everything_of(session, survey, document_id)
    return max(found, key=lambda w: w.rank, default=None), row


async def everything_of(
    session: Session, survey: Survey, document_id: str
) -> tuple[list[Whereabouts], Mapping[str, Any] | None]:
    """Every place at which there is something of a document, and its stored result."""
    row, reviews = await _tables(session, document_id)
    found = [stored(row)] if row else []
    found += [reviewed(item, _proposal(session, item)) for item in reviews]
    # The results topic is as long as the pipeline's life: asked only where no table knows the document, or where there
    # can be an end that no table has.
    ends = not found or words(session.kafka, session.pipeline).find(DOCUMENT, document_id) is not None
    return found + survey.all(document_id, ends=ends), row


async def _tables(session: Session, document_id: str) -> tuple[Mapping[str, Any] | None, list[ReviewItem]]:
    if not session.has_database:
        return None, []
    async with session.database() as database:
        row = await ResultsTable(database, session.pipeline.name).find(document_id)
        reviews = await ReviewsTable(database, session.pipeline.name).of(document_id)
    return row, [item for item in reviews if not item.sequence]


async def standing_of_batch(session: Session, batch_id: str) -> dict[str, Whereabouts]:
    """Every document of a batch that is known anywhere."""
    found = survey_of(session).batch(batch_id)
    if not session.has_database:
        return found
    async with session.database() as database:
        rows = await ResultsTable(database, session.pipeline.name).list(batch_id=batch_id, limit=MANY)
        reviews = await ReviewsTable(database, session.pipeline.name).waiting(MANY)
    tables = [stored(row) for row in rows]
    tables += [where for item in reviews if (where := reviewed(item, _proposal(session, item))).batch_id == batch_id]
    for where in tables:
        before = found.get(where.document_id)
        if before is None or before.rank <= where.rank:
            found[where.document_id] = where
    return found


@dataclass(slots=True)
class Lookout:
    """Looks for documents again and again, in the tables too, unless they were found to be away."""

    session: Session
    """The installation."""
    tables: bool = True
    """The tables can be asked."""

    def batch(self, name: str) -> dict[str, Whereabouts]:
        """Every document of a batch that is known anywhere."""
        everywhere = self._asked(standing_of_batch(self.session, name)) if self.tables else None
        return survey_of(self.session).batch(name) if everywhere is None else everywhere

    def document(self, name: str) -> Sequence[Whereabouts]:
        """Every place at which there is something of a document."""
        survey = survey_of(self.session)
        everything = self._asked(everything_of(self.session, survey, name)) if self.tables else None
        return survey.all(name, ends=True) if everything is None else everything[0]

    def topics(self, name: str) -> Sequence[Whereabouts]:
        """The same as far as it is under way in topics: the quickest look."""
        return survey_of(self.session).all(name, ends=False)

    def _asked(self, look: Coroutine[Any, Any, T]) -> T | None:
        try:
            return asyncio.run(look)
        except Unavailable as error:
            if error.dependency != "database":
                raise
            self.tables = False
            return None


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
        version=row["version"],
        submitted_at=row["submitted_at"],
    )


def reviewed(item: ReviewItem, proposal: Any = None) -> Whereabouts:
    """A row of the table of reviews; decided ones are on their way to the next stage."""
    where = Whereabouts(
        document_id=item.document_id,
        state=WAITING if item.sequence else REVIEW,
        since=item.requested_at,
        stage=item.stage,
        failure=item.failure,
        message=item.reason,
        position=item.review_id,
    )
    return told_of(where, proposal)


def _proposal(session: Session, item: ReviewItem) -> Any:
    try:
        return session.codec.decode(item.proposal, session.pipeline.given)
    except Failed:
        return None
