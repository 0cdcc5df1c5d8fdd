"""`penstock costs`: what was spent, broken down as asked, with what failed and what nobody saw the end of apart."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.core.errors import Unavailable
from shared.database.spending import BY, Account, Line, Wanted
from shared.models.exchange import named

COLUMNS = (
    "documents",
    "calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
    "failed_usd",
    "unsure_usd",
    "unsure_calls",
)
"""Figures of the table; `--json` has them all."""
CALL = "unsure"
"""What lists calls one by one."""
UNSURE = ("name", "document_id", "stage", "task", "model", "started_at", "pending")
"""What is told of a call whose answer nobody saw."""


def costs(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="|".join((*BY, CALL)), help="Break it down; several times: by all."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Only on this tenant's account.")] = "",
    since: Annotated[str, typer.Option(metavar="DAY", help="From this day on, as 2026-11-24, UTC.")] = "",
    until: Annotated[str, typer.Option(metavar="DAY", help="Up to this day, which belongs to it.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many lines, the dearest.", min=1)] = 100,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Tell what model calls have cost, by the prices of the day on which each was made.

    Calls that failed were paid all the same and stand apart; calls whose answer nobody saw are *unsure*: their cost is
    an estimate, and only the provider's bill tells what it charged. `--by unsure` lists just these, each by the name
    under which the provider knows it. With --json one object a line, the total last.
    """
    names = by or ["model"]
    wanted = Wanted(tenant=tenant, since=_day("--since", since), until=_day("--until", until))
    if names == [CALL]:
        return _list_unsure(asyncio.run(unsure_calls(open_session(pipeline), wanted)), as_json)
    if unknown := [name for name in names if name not in BY]:
        raise Stop(Exit.USAGE, f"--by {unknown[0]}: costs can be told by {', '.join(BY)}, or alone by {CALL}")
    lines, total = asyncio.run(fetch(open_session(pipeline), names, wanted, limit))
    if as_json:
        for line in lines:
            data(dict(line.of) | told(line))
        data({"total": True} | told(total))
        return Exit.DONE
    rows = [[*line.of.values(), *_figures(line)] for line in lines]
    table((*names, *COLUMNS), [*rows, ["total", *[""] * (len(names) - 1), *_figures(total)]])
    return Exit.DONE


async def fetch(session: Session, names: Sequence[str], wanted: Wanted, limit: int) -> tuple[list[Line], Line]:
    """The lines and their sum. Raises Unavailable."""
    async with session.database() as database:
        account = Account(database, session.pipeline.name)
        return await account.by(names, wanted, limit), await account.total(wanted)


async def unsure_calls(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """Each call whose answer nobody saw. Raises Unavailable."""
    async with session.database() as database:
        rows = await Account(database, session.pipeline.name).unsure(wanted)
    return [{"name": named(row["ticket"])} | {n: value for n, value in row.items() if n != "ticket"} for row in rows]


def _list_unsure(calls: Sequence[Mapping[str, Any]], as_json: bool) -> Exit:
    if as_json:
        for call in calls:
            data(call)
    else:
        table(UNSURE, [[call[name] for name in UNSURE] for call in calls])
    return Exit.DONE


async def spent(session: Session, wanted: Wanted) -> dict[str, Any] | None:
    """What some documents have cost; None where nobody can be asked: where they are does not depend on it."""
    try:
        async with session.database() as database:
            return told(await Account(database, session.pipeline.name).total(wanted))
    except Unavailable:
        return None


def told(line: Line) -> dict[str, Any]:
    """A line's figures."""
    return {name: value for name, value in asdict(line).items() if name != "of"} | {"sure_usd": line.sure_usd}


def _figures(line: Line) -> list[object]:
    said = told(line)
    return [f"{said[name]:.6f}" if name.endswith("_usd") else said[name] for name in COLUMNS]


def _day(option: str, text: str) -> date | None:
    """A day. Raises Stop where it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Stop(Exit.USAGE, f"{option} {text!r}: give a day as 2026-11-24") from None
