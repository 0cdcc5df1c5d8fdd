"""`penstock cancel`: have a document, or what has been submitted of a batch, end at once."""

import getpass
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from shared.cli.cancelling import Outcome, cancel_batch, cancel_document, carried_out, new
from shared.cli.exits import Exit, Stop
from shared.cli.session import open_session
from shared.cli.standing import Lookout
from shared.cli.talk import Json, PipelineName, data, progress, shown
from shared.core.cancellation import BATCH, CANCELLED, DOCUMENT


def cancel(
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    document: Annotated[str, typer.Argument(help="Document id.")] = "",
    batch: Annotated[str, typer.Option(help="A batch instead: all of it that has been submitted and not ended.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most until all has ended.", min=0)] = 10.0,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Cancel a document or a batch: open model calls are aborted, nothing more is paid, and it ends as `cancelled`.

    A newer version of the document, and what is handed in to the batch later, flow again.
    """
    if bool(document) == bool(batch):
        raise Stop(Exit.USAGE, "name a document, or a batch with --batch")
    lookout = Lookout(open_session(pipeline))
    asked = new(BATCH if batch else DOCUMENT, batch or document, getpass.getuser(), reason, datetime.now(UTC))
    outcome = cancel_batch(lookout, asked) if batch else cancel_document(lookout, asked)
    outcome = carried_out(lookout, outcome, timeout, lambda now: progress(f"{len(now.pending)} are to end"))
    progress("")
    tell(outcome, as_json)
    return Exit.DONE


def tell(outcome: Outcome, as_json: bool) -> None:
    """Say what was done, and what is still to end."""
    word, states = outcome.word, Counter(where.state for where in outcome.found.values())
    pending = sorted(outcome.pending, key=lambda where: where.document_id)
    if as_json:
        reach = {"version": word.version} if word.kind == DOCUMENT else {"until": word.until}
        said = {"by": word.by, "at": word.at, "reason": word.reason, **reach}
        told = {word.kind: word.name, "changed": outcome.changed, **said, "states": dict(states)}
        data(told | {"pending": [asdict(where) for where in pending]})
        return
    name = shown(f"{word.kind} {word.name}")
    if not outcome.changed:
        print(f"{name} was cancelled already, by {shown(word.by)} at {word.at:%Y-%m-%d %H:%M:%S}: nothing to do")
    elif word.kind == DOCUMENT:
        print(f"{name} is cancelled up to version {word.version}: nothing more of it is begun or paid")
    else:
        others = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if state != CANCELLED)
        print(f"{name}: {states[CANCELLED]} cancelled" + (f"; had ended before: {others}" if others else ""))
    if pending:
        stages = ", ".join(sorted({where.stage for where in pending}))
        print(f"{len(pending)} will be told as cancelled once their stage takes them up: {stages}")
