"""`penstock webhooks`: which there are, what waits for them and why, and a sample sent to one."""

import asyncio
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.core.webhooks.again import Answer
from shared.core.webhooks.hook import Hook
from shared.core.webhooks.notice import message_id
from shared.database.deliveries import DeliveriesTable
from shared.hooks.file import load_hooks, samples
from shared.hooks.sending import open_sender

APP = typer.Typer(add_completion=False, rich_markup_mode=None)

COLUMNS = ("hook", "on", "waiting", "given_up", "delivered", "delivered_at", "failed_at", "failure")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The hook.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")]


@APP.callback(invoke_without_command=True)
def webhooks(ctx: typer.Context, pipeline: PipelineName = "", as_json: Json = False) -> Exit | None:
    """Show the webhooks: what they hear, what waits, what was given up, how the last try failed."""
    if ctx.invoked_subcommand:
        return None
    session = open_session(pipeline)
    rows = rows_of(hooks_of(session), asyncio.run(standing_of(session)))
    if as_json:
        data(rows)
    elif rows:
        table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
    else:
        print(
            "there are none: name a file of them with PENSTOCK_WEBHOOKS; services/notify/README.md says what it holds"
        )
    return Exit.DONE


@APP.command("test")
def sample(name: Name, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Send one signed sample of each kind to a hook, now and once."""
    session = open_session(pipeline)
    hook = hook_named(session, name)
    rows = [
        {"type": kind, "status": answer.status, "failure": answer.said} for kind, answer in asyncio.run(tried(hook))
    ]
    if as_json:
        data(rows)
    else:
        table(("type", "status", "failure"), [list(row.values()) for row in rows])
    return Exit.DONE if not any(row["failure"] for row in rows) else Exit.FAILED


@APP.command("given-up")
def given_up(name: Name, limit: Limit = 20, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """List what was given up of a hook, and why; with --json one object a line."""
    rows = asyncio.run(given_up_of(open_session(pipeline), name, limit))
    if as_json:
        for row in rows:
            data(dict(row))
    else:
        columns = ("made_at", "type", "subject", "attempts", "failure", "message_id")
        table(columns, [[row[column] for column in columns] for row in rows])
    return Exit.DONE


@APP.command()
def retry(name: Name, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Take up again what was given up of a hook, under the same ids."""
    session = open_session(pipeline)
    hook_named(session, name)
    count = asyncio.run(again(session, name))
    data({"hook": name, "waiting": count}) if as_json else print(f"{count} are tried again")
    return Exit.DONE


def hooks_of(session: Session) -> Sequence[Hook]:
    """The hooks of the settings. Raises Misconfigured."""
    return load_hooks(session.settings.webhooks, os.environ, session.pipeline.name)


def hook_named(session: Session, name: str) -> Hook:
    """One of them. Raises Stop."""
    known = {hook.name: hook for hook in hooks_of(session)}
    if name not in known:
        raise Stop(Exit.NOT_FOUND, f"webhook {name}: there is none; known are {', '.join(known) or 'none'}")
    return known[name]


def rows_of(hooks: Sequence[Hook], standing: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every hook that is in the file, and every one that was once and still has something to tell."""
    known = {row["hook"]: dict(row) for row in standing}
    named = {hook.name: ", ".join(sorted(hook.on)) for hook in hooks}
    nothing = {"waiting": 0, "given_up": 0, "delivered": 0, "delivered_at": None, "failed_at": None, "failure": ""}
    rows = [{"hook": name, "on": on, **nothing, **known.get(name, {})} for name, on in named.items()]
    gone = [row for name, row in known.items() if name not in named and (row["waiting"] or row["given_up"])]
    return rows + [{"on": "not in the file any more", **row} for row in gone]


async def tried(hook: Hook) -> list[tuple[str, Answer]]:
    """Type to what came of its sample."""
    async with open_sender(hook) as sender:
        return [
            (notice.type, await sender.send(message_id("sample", uuid.uuid4()), hook.words.body(notice)))
            for notice in samples("sample")
        ]


async def standing_of(session: Session) -> Sequence[Mapping[str, Any]]:
    """The rows."""
    async with session.database() as database:
        return await DeliveriesTable(database, session.pipeline.name).standing()


async def given_up_of(session: Session, name: str, limit: int) -> Sequence[Mapping[str, Any]]:
    """The rows."""
    async with session.database() as database:
        return await DeliveriesTable(database, session.pipeline.name).given_up(name, limit)


async def again(session: Session, name: str) -> int:
    """How many are taken up again."""
    async with session.database() as database:
        return await DeliveriesTable(database, session.pipeline.name).again(name)
