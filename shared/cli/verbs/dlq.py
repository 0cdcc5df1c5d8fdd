"""`penstock dlq`: dead letters by class, one of them in full, and what to do about them."""

import getpass
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from schemas.events import DocumentResult
from shared.cli.exits import Exit, Stop
from shared.cli.letters import described, document_type, grouped, in_full, listed
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, progress, shown, table
from shared.core import topics
from shared.core.event import derived_id
from shared.core.failures import Failure
from shared.kafka.dead_letters import DISCARDED, REPLAYED, DeadLetters, Letter, Resolution, Selection
from shared.kafka.reading import Reader
from shared.kafka.resolving import Act, Overtaken, act, replay_record, too_large
from shared.kafka_port import Record

APP = typer.Typer(help="Dead letters.", add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Dead letters, as stage/partition/offset.")]
Class = Annotated[str, typer.Option("--class", help="Only of this failure class.")]
StageName = Annotated[str, typer.Option("--stage", help="Only of this stage.")]
Document = Annotated[str, typer.Option("--document", help="Only of this document.")]
Everything = Annotated[bool, typer.Option("--all", help="All unresolved ones.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@APP.command("list")
def list_(
    failure: Class = "",
    stage: StageName = "",
    document: Document = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List what is unresolved, by class.

    With --json each dead letter, one object a line.
    """
    session = open_session(pipeline)
    chosen = selection(session, (), failure, stage, document)
    letters = desk(session).unresolved(chosen)
    if as_json:
        for letter in letters:
            data(listed(letter, session.codec))
    else:
        table(("class", "stage", "type", "count", "newest", "example"), grouped(letters, session.codec))
    return Exit.DONE


@APP.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")], pipeline: PipelineName = "", as_json: Json = False
) -> Exit:
    """Show one dead letter in full.

    Its history, its headers, its bytes, and the event in them where they can be read.
    """
    session = open_session(pipeline)
    letter = existing(session, letter_id)
    full = in_full(letter, session.codec, desk(session).resolutions().get(letter_id))
    if as_json:
        data(full)
    else:
        print("\n".join(shown(line) for line in described(full)))
    return Exit.DONE


@APP.command()
def replay(  # noqa: PLR0913, PLR0917  a verb's options are its parameters
    ids: Ids = None,
    failure: Class = "",
    stage: StageName = "",
    document: Document = "",
    everything: Everything = False,
    dry_run: DryRun = False,
    reason: Reason = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Send dead letters back to their stage.

    Each once, however often this is run: what was acted on is no longer selected.
    """
    session = open_session(pipeline)
    chosen = selection(session, ids or (), failure, stage, document, everything)
    note = noting(session, REPLAYED, reason)

    def again(letter: Letter) -> tuple[list[Record], Resolution]:
        return [replay_record(session.pipeline, letter)], note(letter)

    return plan(session, chosen, again, as_json) if dry_run else carry_out(session, chosen, again, REPLAYED, as_json)


@APP.command()
def discard(  # noqa: PLR0913, PLR0917  a verb's options are its parameters
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    ids: Ids = None,
    failure: Class = "",
    stage: StageName = "",
    document: Document = "",
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
    chosen = selection(session, ids or (), failure, stage, document, everything)
    note = noting(session, DISCARDED, reason)

    def away(letter: Letter) -> tuple[list[Record], Resolution]:
        return [discarded(session, letter, reason)], note(letter)

    return plan(session, chosen, away, as_json) if dry_run else carry_out(session, chosen, away, DISCARDED, as_json)


def desk(session: Session) -> DeadLetters:
    """The dead letters."""
    return DeadLetters(Reader(session.kafka), session.pipeline)


def selection(
    session: Session, ids: Any, failure: str, stage: str, document: str, everything: bool | None = None
) -> Selection:
    """The letters that are meant; acting on all of them has to be said."""
    if everything is False and not (ids or failure or stage or document):
        raise Stop(Exit.USAGE, "say which: ids, --class, --stage, --document, or --all")
    if stage:
        session.pipeline.stage(stage)
    if failure and failure not in set(Failure):
        near = get_close_matches(failure, [known.value for known in Failure])
        raise Stop(Exit.USAGE, f"class {failure!r} is unknown" + (f": did you mean {near[0]}?" if near else ""))
    return Selection(frozenset(ids), failure, stage, document)


def existing(session: Session, letter_id: str) -> Letter:
    """The letter of that id."""
    letter = desk(session).find(letter_id)
    if letter is None:
        raise Stop(Exit.NOT_FOUND, f"dead letter {letter_id}: there is none; `penstock dlq list --json` has the ids")
    return letter


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
    event = letter.event(session.codec)
    submission = getattr(event, "submission", event)
    now = datetime.now(UTC)
    end = DocumentResult(
        event_id=derived_id(str(letter.delivery.position), DISCARDED, 0),
        document_id=letter.document_id,
        tenant=getattr(event, "tenant", "default"),
        version=getattr(event, "version", 1),
        batch_id=getattr(event, "batch_id", ""),
        state=DISCARDED,
        document_type=document_type(event),
        track=str(getattr(getattr(event, "classification", None), "track", "")),
        confidence=float(getattr(getattr(event, "classification", None), "confidence", 0.0)),
        fields={},
        summary="",
        answers={},
        models=(),
        cost_usd=0.0,
        reason=reason,
        metadata=getattr(submission, "metadata", {}),
        submitted_at=getattr(submission, "submitted_at", now),
        finished_at=now,
    )
    results = topics.results(session.pipeline.name)
    return Record(results, letter.delivery.key, session.codec.encode(end), (), None)


def plan(session: Session, chosen: Selection, how: Act, as_json: bool) -> Exit:
    """Say what would be done."""
    planned = []
    for letter in desk(session).unresolved(chosen):
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


def carry_out(session: Session, chosen: Selection, how: Act, action: str, as_json: bool) -> Exit:
    """Do it, and say what was done."""
    letters = desk(session)
    missing = [one for one in sorted(chosen.ids) if letters.find(one) is None]
    if missing:
        raise Stop(Exit.NOT_FOUND, f"dead letter {missing[0]}: there is none; nothing was done")
    try:
        acted = act(session.kafka, letters, chosen, how, lambda acted: progress(f"{len(acted.done)} {action}"))
    except Overtaken as error:
        raise Stop(Exit.REFUSED, str(error)) from error
    progress("")
    already = sorted(chosen.ids - set(acted.done) - acted.refused.keys())
    if as_json:
        data({action: acted.done, "refused": acted.refused, "already_resolved": already})
    else:
        print(f"{len(acted.done)} {action}" + (f", {len(already)} were resolved before" if already else ""))
        for letter_id, why in acted.refused.items():
            print(f"left as it is: {letter_id}: {why}")
    return Exit.PARTLY if acted.refused else Exit.DONE
