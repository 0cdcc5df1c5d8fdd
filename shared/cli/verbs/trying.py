"""`penstock try`: a stage, or the whole pipeline, on local files in memory."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events import Reference
from shared.cli.exits import Exit, Stop
from shared.cli.handing_in import Terms, submission
from shared.cli.handlers import handlers_of
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, cell, data, table
from shared.cli.verbs.publish import check, found
from shared.core.drawing import in_order
from shared.core.stage import Stage
from shared.kafka.selection import searchable
from shared.memory.blobs import MemoryBlobs
from shared.memory.breakers import MemoryBreakers
from shared.models.client import open_models
from shared.models.questions import ChainPolicy
from shared.models.registry import load_registry
from shared.testing import Journey, Line, Ports, stations

AT_ONCE = 4
"""Files in memory at the same time."""


def try_(
    what: Annotated[str, typer.Argument(metavar="STAGE|PIPELINE", help="A stage, after those before it; or all.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, and folders with files.")],
    task: Annotated[list[str] | None, typer.Option(help="As for `publish`; may be repeated.")] = None,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Run a stage or the pipeline on local files, in memory: no Kafka, no server. With --json one object a line."""
    session = open_session(pipeline)
    needed = stages_to(session, what)
    files, terms = found(paths), Terms(tasks=tuple(task or ()))
    check(session, files, terms)
    outcomes = asyncio.run(tell_all(session, needed, (files, terms), as_json))
    failed = sum(outcome != "ok" for outcome in outcomes)
    return Exit.DONE if not failed else Exit.FAILED if failed == len(outcomes) else Exit.PARTLY


def stages_to(session: Session, what: str) -> list[Stage[Any, Any]]:
    """The stages to run: all of them for the pipeline's name, else those up to the named one."""
    stages = in_order(session.pipeline)
    names = [stage.name for stage in stages]
    if what == session.pipeline.name:
        return stages
    if what in names:
        return stages[: names.index(what) + 1]
    near = get_close_matches(what, [*names, session.pipeline.name], 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}, or {session.pipeline.name} for all"
    raise Stop(Exit.USAGE, f"{what!r} is neither a stage nor the pipeline; {hint}")


async def tell_all(
    session: Session, stages: list[Stage[Any, Any]], given: tuple[list[Path], Terms], as_json: bool
) -> list[str]:
    """Run every file and tell of each in its turn; gives the outcomes."""
    outcomes, rows = [], []
    async for path, journey, blobs in journeys(session, stages, given):
        outcomes.append(journey.outcome)
        row = await answer(path, journey, blobs)
        if as_json:
            data(row)
        else:
            rows.append([row["path"], row["outcome"], row["stage"], row["message"] or gist(row)])
    if not as_json:
        table(("path", "outcome", "stage", "result"), rows)
    return outcomes


async def journeys(
    session: Session, stages: list[Stage[Any, Any]], given: tuple[list[Path], Terms]
) -> AsyncIterator[tuple[Path, Journey, MemoryBlobs]]:
    """Each file's journey, in the order of the files, several on their way at once."""
    files, terms = given
    # Stages beside the way to the wanted one are no part of the line: they are neither opened nor run.
    until = "" if len(stages) == len(session.pipeline.stages) else stages[-1].name
    room = asyncio.Semaphore(AT_ONCE)
    blobs = MemoryBlobs()

    async def one(path: Path, line: Line) -> Journey:
        async with room:
            return await line.run(await submission(path, terms, blobs), until)

    async with AsyncExitStack() as stack:
        models = None
        if any(stage.chains for stage in stages):
            registry = load_registry(session.settings.models_file, os.environ)
            policy = ChainPolicy(
                session.pipeline.remedies, session.pipeline.fallback, session.settings.quality.policy()
            )
            models = await stack.enter_async_context(open_models(registry, MemoryBreakers(), policy=policy))
        handlers = handlers_of(stages, session.settings)
        line = await stack.enter_async_context(stations(session.pipeline, handlers, Ports(blobs=blobs, models=models)))
        tasks = [asyncio.create_task(one(path, line)) for path in files]
        for path, task in zip(files, tasks, strict=True):
            yield path, await task, blobs


async def answer(path: Path, journey: Journey, blobs: MemoryBlobs) -> dict[str, Any]:
    """What is told of one file."""
    row: dict[str, Any] = {
        "path": str(path),
        "outcome": journey.outcome,
        "state": journey.state,
        "stage": journey.stage,
        "message": journey.message,
    }
    if journey.result is None or journey.state == "dead-lettered":
        return row
    text = getattr(journey.result, "text", None)
    if text is not None:
        row["text"] = (await blobs.get(text)).decode() if isinstance(text, Reference) else text
    return row | {"result": searchable({k: v for k, v in journey.result.to_avro().items() if k != "text"})}


def gist(row: dict[str, Any]) -> str:
    """A result in a line."""
    if row.get("text"):
        return cell(row["text"].strip())
    result = row.get("result", {})
    return ", ".join(f"{name}: {result[name]}" for name in ("state", "document_type", "fields") if result.get(name))
