"""`penstock journal`: what happened to a document, how batches stand, and the journal made anew."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.database.costs import Costs
from shared.database.journal import JournalTable

APP = typer.Typer(help="The journal.", add_completion=False, rich_markup_mode=None, no_args_is_help=True)

COLUMNS = ("at", "waited", "kind", "stage", "what")


@APP.command("show")
def show(
    document: Annotated[str, typer.Argument(help="Document id.")],
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Show a document's timeline: every hop, wait, attempt and model call; with --json one object a line."""
    rows = asyncio.run(timeline_of(open_session(pipeline), document))
    if not rows:
        raise Stop(Exit.NOT_FOUND, f"document {document}: the journal has not met it; it may be some seconds behind")
    if as_json:
        for row in rows:
            data(row)
    else:
        table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
    return Exit.DONE


@APP.command("batches")
def batches(
    batch: Annotated[str, typer.Option(help="Only this one.")] = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List how batches stand; with --json one object a line."""
    rows = asyncio.run(batches_of(open_session(pipeline), batch))
    if as_json:
        for row in rows:
            data(dict(row))
    else:
        columns = ("batch_id", "state", "documents", "first_at", "last_at")
        table(columns, [[row[column] for column in columns] for row in rows])
    return Exit.DONE


@APP.command("rebuild")
def rebuild(pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Empty the journal's tables: a running journal begins anew from what the topics hold."""
    session = open_session(pipeline)
    asyncio.run(emptied(session))
    told = f"the journal of {session.pipeline.name} is empty, and is written anew"
    data({"emptied": session.pipeline.name}) if as_json else print(told)
    return Exit.DONE


async def timeline_of(session: Session, document: str) -> list[dict[str, Any]]:
    """The journal's entries and the ledger's calls, in the order of their times."""
    async with session.database() as database:
        entries = await JournalTable(database, session.pipeline.name).timeline(document)
        calls = await Costs(database, session.pipeline.name).calls(document)
    return timeline(entries, calls)


def timeline(entries: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line each, with the seconds since the line before. Entries of the same time keep their order."""
    lines = [
        {
            "at": entry["at"],
            "kind": entry["kind"],
            "stage": entry["stage"],
            "what": ", ".join(filter(None, (entry["failure"] or entry["state"], entry["message"]))),
            **{name: value for name, value in entry.items() if name not in ("pipeline", "at", "kind", "stage")},
        }
        for entry in entries
    ]
    lines += [
        {
            "at": call["started_at"],
            "kind": "call",
            "stage": call["stage"],
            "what": f"{call['task']} {call['model'] or 'step'}: {call['failure'] or call['state']},"
            f" {call['input_tokens']}+{call['output_tokens']} tokens, {call['cost_usd']:.6f} USD,"
            f" {call['milliseconds']} ms",
            **{name: value for name, value in call.items() if name not in ("stage", "started_at")},
        }
        for call in calls
    ]
    lines.sort(key=lambda line: line["at"])
    before = [*lines[:1], *lines]
    return [
        line | {"waited": round((line["at"] - earlier["at"]).total_seconds(), 3)}
        for line, earlier in zip(lines, before, strict=False)
    ]


async def batches_of(session: Session, batch: str) -> Sequence[Mapping[str, Any]]:
    """The rows."""
    async with session.database() as database:
        return await JournalTable(database, session.pipeline.name).batches(batch)


async def emptied(session: Session) -> None:
    """Empty the tables."""
    async with session.database() as database:
        await JournalTable(database, session.pipeline.name).empty()
