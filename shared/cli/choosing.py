"""The options by which dead letters are chosen, and what they mean together."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.gathering import gathering
from shared.cli.session import Session
from shared.core.failures import Failure
from shared.kafka.dead_letters import DeadLetters, Letter
from shared.kafka.reading import Reader
from shared.kafka.selection import Selection, compiled

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID…]", help="Dead letters, as stage/partition/offset.")]
Class = Annotated[str, typer.Option("--class", help="Only of this failure class.")]
StageName = Annotated[str, typer.Option("--stage", help="Only of this stage.")]
Document = Annotated[str, typer.Option("--document", help="Only of this document.")]
Cause = Annotated[list[str] | None, typer.Option("--cause", help="Only of this cause, as `list` names it; repeatable.")]
Type = Annotated[str, typer.Option("--type", help="Only of this document type.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Only of this tenant.")]
Since = Annotated[str, typer.Option("--since", help="Only what failed then or later: ISO 8601, or 2h, 30m, 7d ago.")]
Until = Annotated[str, typer.Option("--until", help="Only what failed before then.")]
Asked = Annotated[str, typer.Option("--asked", help="Only where this model was asked first.")]
Prompted = Annotated[str, typer.Option("--prompted", help="Only where it was asked with this prompt first.")]
Attempts = Annotated[int, typer.Option("--attempts", min=0, help="Only what was tried at least so often.")]
Where = Annotated[str, typer.Option("--where", help="Only where this JMESPath expression is true of the event.")]
Everything = Annotated[bool, typer.Option("--all", help="All unresolved ones.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]

AGO = re.compile(r"(\d{1,9})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def failed(
    failure: Class = "",
    stage: StageName = "",
    cause: Cause = None,
    since: Since = "",
    until: Until = "",
    attempts: Attempts = 0,
) -> Selection:
    """What failed, where and when. Raises Stop for a class or a time that cannot be."""
    if failure and failure not in set(Failure):
        near = get_close_matches(failure, [known.value for known in Failure])
        raise Stop(Exit.USAGE, f"class {failure!r} is unknown" + (f": did you mean {near[0]}?" if near else ""))
    causes = frozenset(one.lower() for one in cause or ())
    then, before = moment("--since", since), moment("--until", until)
    return Selection(failure=failure, stage=stage, causes=causes, since=then, until=before, attempts=attempts)


def about(
    document: Document = "",
    document_type: Type = "",
    tenant: Tenant = "",
    asked: Asked = "",
    prompted: Prompted = "",
    where: Where = "",
) -> Selection:
    """Whose document, who was asked about it, and what is in it. Raises Misconfigured for a wrong expression."""
    if where:
        compiled(where)
    return Selection(
        document=document, document_type=document_type, tenant=tenant, asked=asked, prompted=prompted, where=where
    )


@gathering("how", failed)
@gathering("what", about)
def filters(how: Selection, what: Selection) -> Selection:
    """The letters that are meant."""
    return replace(
        what,
        failure=how.failure,
        stage=how.stage,
        causes=how.causes,
        since=how.since,
        until=how.until,
        attempts=how.attempts,
    )


def acting(session: Session, chosen: Selection, ids: Collection[str] | None, *, everything: bool) -> Selection:
    """The same with the ids; acting on all of them has to be said. Raises Stop, also where an id is none."""
    chosen = replace(in_pipeline(session, chosen), ids=frozenset(ids or ()))
    if chosen == Selection() and not everything:
        raise Stop(Exit.USAGE, "say which: ids, --class, --stage, --document, --cause, --where, …, or --all")
    letters = desk_of(session)
    for one in sorted(chosen.ids):
        existing(letters, one)
    return chosen


def in_pipeline(session: Session, chosen: Selection) -> Selection:
    """The same, if its stage is one of the pipeline's."""
    if chosen.stage:
        session.pipeline.stage(chosen.stage)
    return chosen


def desk_of(session: Session) -> DeadLetters:
    """The dead letters."""
    return DeadLetters(Reader(session.kafka), session.pipeline, session.codec)


def existing(letters: DeadLetters, letter_id: str) -> Letter:
    """The letter of that id. Raises Stop where there is none."""
    letter = letters.find(letter_id)
    if letter is None:
        known = "`penstock dlq list --json` has the ids"
        raise Stop(Exit.NOT_FOUND, f"dead letter {letter_id}: there is none; nothing was done: {known}")
    return letter


def moment(option: str, text: str) -> datetime | None:
    """A time as people give it: ISO 8601, UTC where no zone is said, or how long ago."""
    if not text:
        return None
    if ago := AGO.fullmatch(text):
        try:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"{option} {text!r} is no time: give ISO 8601, or how long ago, such as 2h") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
