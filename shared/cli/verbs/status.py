"""`penstock status`: where one document is, or how a batch stands."""

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import Session, open_session
from shared.cli.standing import standing_of, standing_of_batch
from shared.cli.talk import Json, PipelineName, cell, data, table
from shared.cli.verbs.costs import spent
from shared.database.spending import Wanted

KEPT = ("version", "tenant", "filename", "document_type", "track", "confidence", "quality", "summary", "cost_usd")
"""Columns of a result that are shown on a line of their own."""


def status(
    document: Annotated[str, typer.Argument(help="Document id.")] = "",
    batch: Annotated[str, typer.Option(help="A batch instead: how many of its documents are where.")] = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Tell where a document is: stored, waiting at a stage, in retry, in review, dead-lettered, …"""
    if bool(document) == bool(batch):
        raise Stop(Exit.USAGE, "name a document, or a batch with --batch")
    session = open_session(pipeline)
    return of_batch(session, batch, as_json) if batch else of_document(session, document, as_json)


def of_document(session: Session, document: str, as_json: bool) -> Exit:
    """One document."""
    where, row = asyncio.run(standing_of(session, document))
    cost = asyncio.run(spent(session, Wanted(documents=[document])))
    if where is None:
        raise Stop(Exit.NOT_FOUND, f"document {document}: pipeline {session.pipeline.name} has not met it")
    answer = asdict(where) | {"result": dict(row) if row else None, "cost": cost}
    if as_json:
        data(answer)
        return Exit.DONE
    said = {
        name: value for name, value in answer.items() if value not in ("", 0, None) and name not in ("result", "cost")
    }
    if row:
        said |= {name: row[name] for name in KEPT if row[name] not in ("", None)}
        said |= {f"field {name}": value for name, value in row["fields"].items()}
        said |= {f"answer to {name}": value for name, value in row["answers"].items()}
    # What its result says of cost knows nothing of tries that failed.
    said |= {name: value for name, value in (cost or {}).items() if value and name != "documents"}
    for name, value in said.items():
        print(f"{cell(name.replace('_', ' ')):24} {cell(value)}")
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
