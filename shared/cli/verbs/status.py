"""`penstock status`: where one document is and what it waits for, how a batch stands, or which documents are stuck."""

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.outlook import outlook_of
from shared.cli.page import lasted, length, screen
from shared.cli.session import Session, open_session
from shared.cli.stalled import Stalled, stalled_in
from shared.cli.standing import standing_of, standing_of_batch
from shared.cli.talk import Json, PipelineName, data, table
from shared.cli.verbs.costs import spent
from shared.database.spending import Wanted


def status(
    document: Annotated[str, typer.Argument(help="Document id.")] = "",
    batch: Annotated[str, typer.Option(help="A batch instead: how many of its documents are where.")] = "",
    stuck: Annotated[bool, typer.Option("--stuck", help="Documents that stand still without a reason.")] = False,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Tell where a document is, what it waits for, what comes next and when it is through; or which are stuck."""
    if bool(document) + bool(batch) + stuck != 1:
        raise Stop(Exit.USAGE, "name a document, or a batch with --batch, or ask for --stuck")
    session = open_session(pipeline)
    if stuck:
        return of_stuck(asyncio.run(stalled_in(session, datetime.now(UTC))), as_json)
    return of_batch(session, batch, as_json) if batch else of_document(session, document, as_json)


def of_document(session: Session, document: str, as_json: bool) -> Exit:
    """One document."""
    where, row = asyncio.run(standing_of(session, document))
    if where is None:
        raise Stop(Exit.NOT_FOUND, f"document {document}: pipeline {session.pipeline.name} has not met it")
    cost = asyncio.run(spent(session, Wanted(documents=[document])))
    now = datetime.now(UTC)
    outlook = asyncio.run(outlook_of(session, where, now)) if where.is_open and where.stage else None
    if as_json:
        foreseen = asdict(outlook) if outlook else None
        data(asdict(where) | {"outlook": foreseen, "result": dict(row) if row else None, "cost": cost})
        return Exit.DONE
    for line in screen(where, outlook, row, cost, now):
        print(line)
    return Exit.DONE


def of_stuck(found: Stalled, as_json: bool) -> Exit:
    """The pipeline's stuck documents."""
    if as_json:
        data(asdict(found))
        return Exit.DONE
    columns = ("document", "stage", "state", "since", "waited", "limit")
    if found.documents:
        rows = [
            (one.document_id, one.stage, one.state, one.since, lasted(found.at, one.since), length(one.limit))
            for one in found.documents
        ]
        table(columns, rows)
    elif found.limits:
        print(f"nothing is stuck at {', '.join(found.limits)}")
    for name, reason in found.unknown.items():
        print(f"{name}: unknown, {reason}")
    return Exit.DONE


def of_batch(session: Session, batch: str, as_json: bool) -> Exit:
    """A batch."""
    found = asyncio.run(standing_of_batch(session, batch))
    if not found:
        raise Stop(Exit.NOT_FOUND, f"batch {batch}: pipeline {session.pipeline.name} has met no document of it")
    states = dict(Counter(where.state for where in found.values()))
    failures = dict(Counter(where.failure for where in found.values() if where.failure))
    cost = asyncio.run(spent(session, Wanted(documents=list(found))))
    if as_json:
        documents = [asdict(where) for _, where in sorted(found.items())]
        counts = {"total": len(found), "states": states, "failures": failures}
        data({"batch": batch, **counts, "cost": cost, "documents": documents})
        return Exit.DONE
    table(("state", "documents"), sorted(states.items()))
    if failures:
        print()
        table(("failure", "documents"), sorted(failures.items()))
    if cost and cost["documents"]:
        print()
        table(("cost", "figure"), [(name.replace("_", " "), value) for name, value in cost.items() if value])
    return Exit.DONE
