"""`penstock dlq`: dead letters by cause, one of them in full, and what to do about them."""

import asyncio
import getpass
import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from shared.cli.choosing import DryRun, Everything, Ids, acting, desk_of, existing, filters, in_pipeline
from shared.cli.exits import Exit, Stop
from shared.cli.gathering import gathering
from shared.cli.letters import described, grouped, in_full, listed
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, progress, shown, table
from shared.cli.verbs.replaying import receipts, replay
from shared.core import topics
from shared.core.errors import Unavailable
from shared.core.timeline import DISCARDED
from shared.database.costs import Costs
from shared.kafka.dead_letters import Letter, Resolution
from shared.kafka.resolving import Act, Overtaken, act, too_large
from shared.kafka.selection import Selection
from shared.kafka_port import Record
from shared.pipelines.ended import letter_ended

APP = typer.Typer(help="Dead letters.", add_completion=False, rich_markup_mode=None, no_args_is_help=True)
APP.command()(replay)
APP.command()(receipts)


@APP.command("list")
@gathering("chosen", filters)
def list_(
    chosen: Selection,
    groups: Annotated[bool, typer.Option("--groups", help="With --json: causes instead of letters.")] = False,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List what is unresolved, by cause.

    A cause is class, stage and message without numbers, names and ids. With --json each dead letter, one object a line.
    """
    session = open_session(pipeline)
    letters = desk_of(session).unresolved(in_pipeline(session, chosen))
    if as_json and not groups:
        for letter in letters:
            data(listed(letter, session.codec))
        return Exit.DONE
    found = grouped(letters, session.codec)
    if as_json:
        for group in found:
            data(asdict(group))
    else:
        columns = ("class", "stage", "type", "count", "newest", "cause", "example")
        table(columns, [group.row for group in found])
    return Exit.DONE


@APP.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")], pipeline: PipelineName = "", as_json: Json = False
) -> Exit:
    """Show one dead letter in full.

    Its attempts and what they cost, its causes, its headers, its bytes, and the event in them where it can be read.
    """
    session = open_session(pipeline)
    letters = desk_of(session)
    letter = existing(letters, letter_id)
    full = in_full(letter, session.codec, letters.resolutions().get(letter_id)) | {"calls": calls_of(session, letter)}
    if as_json:
        data(full)
        return Exit.DONE
    print("\n".join(shown(line) for line in described(full)))
    for heading, columns in (
        ("tries", ("number", "at", "failure", "model", "prompt", "tokens", "cost_usd", "message")),
        ("calls", ("stage", "task", "model", "state", "failure", "input_tokens", "output_tokens", "cost_usd")),
    ):
        if full[heading]:
            print(f"\n{heading}")
            table(columns, [[row.get(column, "") for column in columns] for row in full[heading]])
    return Exit.DONE


def calls_of(session: Session, letter: Letter) -> list[dict[str, Any]]:
    """What the call ledger has of the document; nothing where PostgreSQL is away: the letter is shown all the same."""

    async def ask() -> list[dict[str, Any]]:
        async with session.database() as database:
            return [dict(row) for row in await Costs(database, session.pipeline.name).calls(letter.document_id)]

    try:
        return asyncio.run(ask()) if letter.document_id else []
    except Unavailable:
        return []


@APP.command()
@gathering("chosen", filters)
def discard(
    chosen: Selection,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    ids: Ids = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Give dead letters up, with a reason.

    Each document ends as `discarded`.
    """
    session = open_session(pipeline)
    if not reason.strip():
        raise Stop(Exit.USAGE, "--reason is empty: say why they are given up")
    chosen = acting(session, chosen, ids, everything=everything)
    note = noting(session, DISCARDED, reason)

    def away(letter: Letter) -> tuple[list[Record], Resolution]:
        return [discarded(session, letter, reason)], note(letter)

    return plan(session, chosen, away, as_json) if dry_run else carry_out(session, chosen, away, as_json)


def noting(session: Session, action: str, reason: str) -> Callable[[Letter], Resolution]:
    """Makes the note of each letter under one receipt."""
    now = datetime.now(UTC)
    receipt = f"{action}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"

    def note(letter: Letter) -> Resolution:
        batch = str(getattr(letter.event(session.codec), "batch_id", ""))
        at = now.isoformat(timespec="milliseconds")
        return Resolution(action, receipt, getpass.getuser(), reason, at, letter.document_id, batch)

    return note


def discarded(session: Session, letter: Letter, reason: str) -> Record:
    """The document's end, as the results topic tells it."""
    event, now = letter.event(session.codec), datetime.now(UTC)
    end = letter_ended(letter.delivery.position, event, letter.document_id, DISCARDED, reason, now)
    results = topics.results(session.pipeline.name)
    return Record(results, letter.delivery.key, session.codec.encode(end), (), None)


def plan(session: Session, chosen: Selection, how: Act, as_json: bool) -> Exit:
    """Say what would be discarded."""
    planned = []
    for letter in desk_of(session).unresolved(chosen):
        records, _ = how(letter)
        planned.append(
            listed(letter, session.codec)
            | {"to": records[0].topic, "refused": next((why for record in records if (why := too_large(record))), "")}
        )
    if as_json:
        data({"dry_run": True, "selected": len(planned), "letters": planned})
    else:
        columns = ("id", "class", "document_id", "to", "refused")
        table(columns, [[entry[column] for column in columns] for entry in planned])
        print(f"{len(planned)} dead letters would be acted on; nothing was done")
    return Exit.DONE


def carry_out(session: Session, chosen: Selection, how: Act, as_json: bool) -> Exit:
    """Discard, and say what was done."""
    try:
        acted = act(
            session.kafka, desk_of(session), chosen, how, lambda acted: progress(f"{len(acted.done)} {DISCARDED}")
        )
    except Overtaken as error:
        raise Stop(Exit.REFUSED, str(error)) from error
    progress("")
    already = sorted(chosen.ids - set(acted.done) - acted.refused.keys())
    if as_json:
        data({DISCARDED: acted.done, "refused": acted.refused, "already_resolved": already})
    else:
        print(f"{len(acted.done)} {DISCARDED}" + (f", {len(already)} were resolved before" if already else ""))
        for letter_id, why in acted.refused.items():
            print(f"left as it is: {letter_id}: {why}")
    return Exit.PARTLY if acted.refused else Exit.DONE
