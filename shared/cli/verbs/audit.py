"""`penstock audit`: is every document somewhere, and nowhere twice."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, cell, data, table
from shared.core.conservation.facts import Finding
from shared.core.conservation.verdict import Question, Verdict
from shared.core.drawing import in_order
from shared.core.stage import Stage
from shared.runtime.auditing import Auditor
from shared.runtime.schemas import Schemas

SHOWN = 50
"""Findings that are shown to a person; `--json` has them all."""


def audit(
    batch: Annotated[str, typer.Option(help="Only documents of this batch.")] = "",
    stage: Annotated[str, typer.Option(help="Only what happened at this stage.")] = "",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Check the conservation law on the topics, the progress and the tables.

    Published = stored + rejected + discarded + cancelled + superseded + deduplicated + dead-lettered + in review + in
    retry + waiting. Exit code 0 where it holds, 1 where documents are missing or doubled: each is named.
    """
    session = open_session(pipeline)
    if stage:
        session.pipeline.stage(stage)
    found = asyncio.run(audited(session, Question(batch, stage)))
    if as_json:
        data(answer(session, found))
    else:
        show(session, found)
    return Exit.DONE if found.holds else Exit.FAILED


async def audited(session: Session, question: Question) -> Verdict:
    """Look."""
    async with session.database() as database:
        learn = Schemas(session.settings, session.codec).look
        auditor = Auditor(session.kafka, session.pipeline, session.codec, session.ends, database, learn)
        return await auditor.audit(question)


def answer(session: Session, found: Verdict) -> dict[str, object]:
    """As JSON."""
    return {
        "pipeline": session.pipeline.name,
        "holds": found.holds,
        "documents": found.documents,
        "published": found.published,
        "entered": found.entered,
        "split": found.split,
        "states": dict(sorted(found.states.items())),
        "stages": {stage.name: asdict(found.stages[stage.name]) for stage in named(session, found)},
        "findings": [asdict(one) for one in found.findings],
    }


def named(session: Session, found: Verdict) -> "list[Stage[Any, Any]]":
    """The stages that were met."""
    return [stage for stage in in_order(session.pipeline) if stage.name in found.stages]


def show(session: Session, found: Verdict) -> None:
    """For a person."""
    states = " + ".join(f"{count} {state}" for state, count in sorted(found.states.items())) or "0"
    besides = f" + {found.entered} put in elsewhere" if found.entered else ""
    besides += f" + {found.split} split off" if found.split else ""
    print(f"{found.published} published{besides} = {states}")
    print()
    columns = ("taken", "waiting", "emitted", "again", "dead", "asked")
    rows = [(s.name, *(getattr(found.stages[s.name], column) for column in columns)) for s in named(session, found)]
    table(("stage", *columns), rows)
    if not found.holds:
        show_findings(found.findings)


def show_findings(findings: Sequence[Finding]) -> None:
    """Each with its document."""
    print()
    table(("finding", "document", "stage", "record", "what"), [findings_row(one) for one in findings[:SHOWN]])
    if len(findings) > SHOWN:
        print(f"and {len(findings) - SHOWN} more: `penstock audit --json` has all")
    print(f"penstock: the law does not hold: {len(findings)} findings", file=sys.stderr)


def findings_row(one: Finding) -> tuple[str, ...]:
    """A line."""
    return (one.kind, one.document, one.stage, one.place, cell(one.message))
