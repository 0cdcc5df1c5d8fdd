"""`penstock review`: documents that wait for a person, and the person's word."""

import asyncio
import getpass
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, cell, data, table
from shared.core.errors import Failed
from shared.database.reviews import ReviewsTable
from shared.kafka.selection import searchable
from shared.ports import ReviewItem

APP = typer.Typer(help="Reviews.", add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="Review, as topic/partition/offset.")]


class Decision(StrEnum):
    """What a person can say."""

    APPROVE = "approve"
    REJECT = "reject"


@APP.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List what waits, oldest first; with --json one object a line."""
    session = open_session(pipeline)
    items = asyncio.run(waiting(session, limit))
    if as_json:
        for item in items:
            data(brief(item))
    else:
        columns = ("review_id", "document_id", "stage", "failure", "requested_at", "reason")
        table(columns, [[getattr(item, column) for column in columns] for item in items])
    return Exit.DONE


@APP.command()
def show(review_id: Id, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Show a review, and what approval would emit."""
    session = open_session(pipeline)
    item = asyncio.run(existing(session, review_id))
    full = brief(item) | {"proposal": proposal(session, item)}
    if as_json:
        data(full)
        return Exit.DONE
    for name, value in {**full, **{f"proposal {k}": v for k, v in full.pop("proposal").items()}}.items():
        if value not in ("", None, 0):
            print(f"{cell(name.replace('_', ' ')):28} {cell(value)}")
    return Exit.DONE


@APP.command()
def decide(
    review_id: Id,
    decision: Annotated[Decision, typer.Argument(help="approve emits the proposal; reject ends the document.")],
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    by: Annotated[str, typer.Option(help="Who decides; else the user's name.")] = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Decide a review, once: what was decided stays so."""
    session = open_session(pipeline)
    item = asyncio.run(decided(session, review_id, decision, by or getpass.getuser(), note))
    if as_json:
        data(brief(item))
    else:
        print(f"{item.document_id}: {item.decision} by {item.decided_by}")
    return Exit.DONE


async def waiting(session: Session, limit: int) -> Sequence[ReviewItem]:
    """Undecided ones."""
    async with session.database() as database:
        return await ReviewsTable(database, session.pipeline.name).waiting(limit)


async def existing(session: Session, review_id: str) -> ReviewItem:
    """The review of that id."""
    async with session.database() as database:
        item = await ReviewsTable(database, session.pipeline.name).get(review_id)
    if item is None:
        raise Stop(Exit.NOT_FOUND, f"review {review_id}: there is none; `penstock review list` has the ids")
    return item


async def decided(session: Session, review_id: str, decision: Decision, by: str, note: str) -> ReviewItem:
    """Decide; of two at once one is refused."""
    async with session.database() as database:
        item = await ReviewsTable(database, session.pipeline.name).decide(review_id, decision.value, by, note)
    if item is not None:
        return item
    before = await existing(session, review_id)
    raise Stop(Exit.REFUSED, f"review {review_id}: {before.decided_by} has decided already: {before.decision}")


def brief(item: ReviewItem) -> dict[str, Any]:
    """A review without its proposal."""
    return {name: value for name, value in asdict(item).items() if name != "proposal"}


def proposal(session: Session, item: ReviewItem) -> dict[str, Any]:
    """What approval would emit, for the eye."""
    try:
        event: Any = session.codec.decode(item.proposal, session.pipeline.given)
    except Failed as error:
        return {"unreadable": error.message}
    shown: dict[str, Any] = searchable(event.to_avro())
    return shown
