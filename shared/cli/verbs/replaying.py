"""`penstock dlq replay` and `penstock dlq receipts`: dead letters back to their stage, and what became of them."""

import json
import os
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.choosing import DryRun, Everything, Ids, Reason, acting, desk_of, existing, filters
from shared.cli.exits import Exit, Stop
from shared.cli.gathering import gathering
from shared.cli.letters import listed
from shared.cli.replay import showing
from shared.cli.replay.beginning import Begun, begin, found, receipts_of, resume
from shared.cli.replay.planning import Asked, consider, expected_cost
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, table
from shared.codec.editing import changed
from shared.core.errors import Failed
from shared.core.pacing import PacePolicy
from shared.kafka.receipts import STOPPED
from shared.kafka.selection import Selection
from shared.models.registry import load_registry

DEFAULT = PacePolicy()


def pace(
    canary: Annotated[int, typer.Option("--canary", min=0, help="How many go first; 0: none.")] = DEFAULT.canary,
    patience: Annotated[
        float, typer.Option("--patience", min=0.1, help="Seconds to wait for ends before it stops.")
    ] = DEFAULT.patience,
    rate: Annotated[float, typer.Option("--rate", min=0.01, help="Most letters a second.")] = DEFAULT.rate,
    in_flight: Annotated[
        int, typer.Option("--in-flight", min=1, help="Most letters sent whose end is not there yet.")
    ] = DEFAULT.in_flight,
    worst: Annotated[
        float, typer.Option("--stop-at", min=0, max=1, help="Share of failures beyond which it stops.")
    ] = DEFAULT.worst,
) -> PacePolicy:
    """How fast it goes, and when it stops."""
    return PacePolicy(canary, patience, rate, in_flight, worst)


def different(
    onto: Annotated[str, typer.Option("--from", metavar="STAGE", help="Begin again at this stage.")] = "",
    model: Annotated[str, typer.Option("--model", help="Ask this model instead of the stage's chains.")] = "",
    prompt: Annotated[str, typer.Option("--prompt", metavar="TASK@VERSION", help="Use this prompt.")] = "",
    most: Annotated[int, typer.Option("--max-replays", min=1, help="How often one may be replayed.")] = 3,
    again: Annotated[bool, typer.Option("--again", help="Also what failed again after the same was asked.")] = False,
) -> Asked:
    """What is to be different this time."""
    return Asked(Selection(), onto, model, prompt, most, again)


@gathering("chosen", filters)
@gathering("asked", different)
@gathering("policy", pace)
def replay(  # noqa: PLR0913, PLR0917  a verb's options are its parameters
    chosen: Selection,
    asked: Asked,
    policy: PacePolicy,
    ids: Ids = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    resumed: Annotated[str, typer.Option("--resume", metavar="RECEIPT", help="Go on with this replay.")] = "",
    edit: Annotated[Path | None, typer.Option("--edit", metavar="FILE", help="Change the one letter's event.")] = None,
    reason: Reason = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Send dead letters back to their stage.

    What is selected is frozen into a plan with a receipt; a few go first, the others follow when these ended well, and
    it stops when too many fail again. Each goes once, however often this is run and whenever it is killed: the same
    again, or --resume RECEIPT, goes on where it was.
    """
    session = open_session(pipeline)
    if resumed:
        return finished(resume(session, resumed, policy, showing.going), frozenset(), as_json)
    asked = replace(asked, selection=acting(session, chosen, ids, everything=everything))
    asked = edited(session, checked(session, asked), edit) if edit else checked(session, asked)
    if not dry_run:
        return finished(begin(session, asked, policy, reason, showing.going), asked.selection.ids, as_json)
    letters, known = desk_of(session), receipts_of(session).all()
    meant = consider(session, letters, asked, letters.resolutions(), known, lambda one: listed(one, session.codec))
    showing.dry_run(meant, expected_cost(session, meant), as_json=as_json)
    return Exit.DONE


def finished(begun: Begun, asked: frozenset[str], as_json: bool) -> Exit:
    """Say what was done, and how it ended."""
    showing.outcome(begun, asked, as_json=as_json)
    driven = begun.driven
    if driven and driven.overdue:
        raise Stop(Exit.TIMEOUT, f"{driven.overdue}: is the stage at work? {_go_on(driven.receipt.id)}")
    if driven and driven.receipt.state == STOPPED:
        raise Stop(Exit.PARTLY, f"stopped: {driven.receipt.said}: mend the cause; {_go_on(driven.receipt.id)}")
    return Exit.PARTLY if begun.refused or (driven and driven.expired) else Exit.DONE


def _go_on(receipt: str) -> str:
    return f"`penstock dlq replay --resume {receipt}` goes on"


def checked(session: Session, asked: Asked) -> Asked:
    """The same, if the pipeline has the stage and some chain the model. Raises Stop, Misconfigured."""
    if asked.onto:
        session.pipeline.stage(asked.onto)
    known = load_registry(session.settings.models_file, os.environ).models if asked.model else {}
    if asked.model and asked.model not in known:
        near = get_close_matches(asked.model, known)
        hint = f"did you mean {near[0]}?" if near else f"they have {', '.join(known)}"
        raise Stop(Exit.USAGE, f"--model {asked.model!r}: no chain of the registry has it: {hint}")
    return asked


def edited(session: Session, asked: Asked, file: Path) -> Asked:
    """The same with the one letter's event changed by the file."""
    if len(asked.selection.ids) != 1 or asked.onto:
        raise Stop(Exit.USAGE, "--edit changes one letter: name just its id, and no --from")
    [letter_id] = asked.selection.ids
    event = existing(desk_of(session), letter_id).event(session.codec)
    if event is None or isinstance(event, Failed):
        raise Stop(Exit.REFUSED, f"{letter_id} cannot be read, so it cannot be changed: {event or 'it has no value'}")
    try:
        changes = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Stop(Exit.USAGE, f"--edit {file}: it is no JSON: {error}") from error
    after = changed(event, changes)
    if after.document_id != event.document_id:
        raise Stop(Exit.REFUSED, f"--edit {file}: document_id is the record's key, and stays {event.document_id!r}")
    try:
        value = session.codec.encode(after)
    except Failed as error:
        raise Stop(Exit.USAGE, f"--edit {file}: {error}") from error
    return replace(asked, edited=value)


def receipts(
    receipt_id: Annotated[str, typer.Argument(metavar="[RECEIPT]", help="One of them, letter by letter.")] = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """List the replays, or show one of them with what became of each letter."""
    session = open_session(pipeline)
    known = receipts_of(session)
    if not receipt_id:
        return list_receipts([showing.summary(receipt) for receipt in known.all()], as_json)
    plan, letters = found(known, receipt_id), desk_of(session)
    rows = showing.fates(session, letters, plan, letters.resolutions())
    if as_json:
        data(showing.summary(plan.receipt) | {"outcomes": rows})
        return Exit.DONE
    for name, value in showing.summary(plan.receipt).items():
        if value:
            print(f"{name:10} {json.dumps(value) if isinstance(value, dict) else value}")
    columns = ("letter", "document_id", "action", "outcome", "at", "why")
    table(columns, [[row[column] for column in columns] for row in rows])
    return Exit.DONE


def list_receipts(rows: list[dict[str, Any]], as_json: bool) -> Exit:
    """One line each."""
    if as_json:
        for row in rows:
            data(row)
    else:
        columns = ("id", "state", "letters", "refused", "by", "at", "reason")
        table(columns, [[row[column] for column in columns] for row in rows])
    return Exit.DONE
