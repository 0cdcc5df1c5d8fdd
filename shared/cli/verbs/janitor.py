"""`penstock janitor`: delete what everybody is done with."""

import asyncio
import getpass
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from shared.cli.exits import Exit
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.core.errors import Unavailable
from shared.core.retention import Cut
from shared.database.positions import Overtaken
from shared.runtime.auditing import Auditor
from shared.runtime.janitor import Janitor, Swept
from shared.runtime.schemas import Schemas

READ = 300_000
"""Records whose facts are held in memory at once."""
LEAST_SECONDS = 0.1
"""Pause between two runs where the setting says none."""


def janitor(
    once: Annotated[
        bool, typer.Option("--once", help="One run, instead of one every [janitor] every_seconds.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and who needs the rest.")] = False,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Delete records of inputs, retries, parked and dead letters that everybody is done with.

    What stays: what is younger than [janitor] keep_days, what a group, the journal, the audit or the webhooks have not
    met, every record of a document that has not ended, dead letters that nobody has acted on among them, and what a
    replay that is not done has chosen. First the audit keeps what the records said. With --json one object a run.
    """
    session = open_session(pipeline)
    asyncio.run(swept(session, once=once or dry_run, dry_run=dry_run, as_json=as_json))
    return Exit.DONE


async def swept(session: Session, *, once: bool, dry_run: bool, as_json: bool) -> None:
    """Run, and run again."""
    learn = Schemas(session.settings, session.codec).look
    keep = timedelta(days=session.settings.janitor.keep_days)
    pause = max(session.settings.janitor.every_seconds, LEAST_SECONDS)
    async with session.database() as database:
        auditor = Auditor(session.kafka, session.pipeline, session.codec, session.ends, database, learn, READ)
        own = Janitor(auditor, keep, getpass.getuser(), bool(session.settings.webhooks))
        while True:
            try:
                done = await own.sweep(dry_run=dry_run)
            except Overtaken:
                # Another janitor is at work: the next look finds what it has left.
                continue
            except Unavailable as error:
                if once:
                    raise
                print(f"penstock: {error}", file=sys.stderr)
            else:
                data(answer(done, dry_run=dry_run)) if as_json else show(done, dry_run=dry_run)
                if once:
                    return
            await asyncio.sleep(pause)


def answer(done: Swept, *, dry_run: bool) -> dict[str, object]:
    """As JSON."""
    return {
        "dry_run": dry_run,
        "deleted": done.deleted,
        "folded": done.folded.records,
        "settled": done.folded.settled,
        "partitions": [asdict(one) for one in done.cuts],
    }


def show(done: Swept, *, dry_run: bool) -> None:
    """For a person."""
    rows = [(f"{one.topic}/{one.partition}", *numbers(one), one.held) for one in done.cuts]
    table(("partition", "from", "goes up to", "records", "needed by"), rows)
    what = "would be deleted" if dry_run else "are deleted"
    print(f"\n{done.deleted} offsets {what}; {done.folded.records} were folded")


def numbers(one: Cut) -> tuple[int, int, int]:
    """From where, up to where, how many."""
    return one.begin, one.next, one.count
