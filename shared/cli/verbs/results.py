"""`penstock results`: how documents ended, newest first."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.database.results import ResultsTable

COLUMNS = ("document_id", "filename", "state", "document_type", "track", "quality", "cost_usd", "finished_at")


def results(
    batch: Annotated[str, typer.Option(help="Only of this batch.")] = "",
    document_type: Annotated[str, typer.Option("--type", help="Only of this document type.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List how documents ended, newest first; with --json one object a line."""
    rows = asyncio.run(fetch(open_session(pipeline), batch, document_type, limit))
    if as_json:
        for row in rows:
            data({name: value for name, value in row.items() if name != "pipeline"})
    else:
        table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
    return Exit.DONE


async def fetch(session: Session, batch: str, document_type: str, limit: int) -> Sequence[Mapping[str, Any]]:
    """The rows."""
    async with session.database() as database:
        table = ResultsTable(database, session.pipeline.name)
        return await table.list(batch_id=batch, document_type=document_type, limit=limit)
