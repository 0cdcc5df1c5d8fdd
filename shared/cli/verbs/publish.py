"""`penstock publish`: files and folders to the ingest topic, straight to Kafka."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.events import DocumentSubmitted
from shared.blobs.store import open_blobs
from shared.cli.exits import Exit, Stop
from shared.cli.handing_in import Door, HandedIn, Terms, files_in, hand_in
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, progress, say, table
from shared.cli.waiting import Ends, starts, wait_for
from shared.core.errors import Failed
from shared.kafka.publisher import KafkaPublisher
from shared.kafka.whereabouts import DEAD
from shared.pipelines.tasks import wanted
from shared.runtime.schemas import Schemas


def publish(  # noqa: PLR0913, PLR0917  a verb's options are its parameters
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, and folders with files.")],
    task: Annotated[
        list[str] | None,
        typer.Option(help="extraction, classification, summarization, or qa:<question>; may be repeated."),
    ] = None,
    tenant: Annotated[str, typer.Option(help="On whose account.")] = "default",
    batch: Annotated[str, typer.Option(help="Name of the batch, for `penstock status --batch`.")] = "",
    document_id: Annotated[str, typer.Option("--id", help="Id of the one file; else it comes from the content.")] = "",
    version: Annotated[
        int, typer.Option(help="Version: a higher one than is stored, or was cancelled, flows again.", min=1)
    ] = 1,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each has ended, or waits for a person.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)] = 600.0,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Hand documents in. The same file of the same tenant twice is the same document, and is stored once."""
    session = open_session(pipeline)
    files = found(paths)
    terms = Terms(tenant, batch, tuple(task or ()), document_id, version)
    check(session, files, terms)
    begin = starts(session) if wait else {}
    done = asyncio.run(handed_in(session, files, terms))
    say(f"{len(done.documents)} of {len(files)} published to {ingest_topic(session)}")
    ends = Ends(set(done.documents.values()))
    late = ""
    if wait:
        try:
            wait_for(session, ends, begin, timeout, lambda ends: progress(f"{ends.open} on their way, {ends.counts}"))
        except TimeoutError as error:
            late = str(error)
    tell(done, ends, wait, as_json)
    if late:
        raise Stop(Exit.TIMEOUT, f"{late}: `penstock status DOCUMENT` tells where each is")
    if done.failed:
        return Exit.PARTLY if done.documents else Exit.FAILED
    return Exit.PARTLY if any(end.state == DEAD for end in ends.seen.values()) else Exit.DONE


def found(paths: list[Path]) -> list[Path]:
    """The files meant by the paths."""
    try:
        files = list(files_in(paths))
    except FileNotFoundError as error:
        raise Stop(Exit.NOT_FOUND, str(error)) from error
    if not files:
        raise Stop(Exit.NOT_FOUND, f"{', '.join(map(str, paths))}: no file in there")
    return files


def check(session: Session, files: list[Path], terms: Terms) -> None:
    """Refuse what cannot be meant, before anything is published."""
    first = session.pipeline.first
    if DocumentSubmitted not in first.takes:
        names = " or ".join(kind.__name__ for kind in first.takes)
        raise Stop(Exit.USAGE, f"pipeline {session.pipeline.name} takes {names}; this command writes DocumentSubmitted")
    if terms.document_id and len(files) > 1:
        raise Stop(Exit.USAGE, f"--id {terms.document_id} names one document, but there are {len(files)} files")
    try:
        wanted(terms.tasks)
    except Failed as error:
        raise Stop(Exit.USAGE, error.message) from error


async def handed_in(session: Session, files: list[Path], terms: Terms) -> HandedIn:
    """Publish the files."""
    async with AsyncExitStack() as stack:
        await Schemas(session.settings, session.codec).tell(session.pipeline, None)
        publisher = await stack.enter_async_context(KafkaPublisher(session.kafka, session.codec))
        door = Door(ingest_topic(session), publisher, open_blobs(session.settings.blobs))
        return await hand_in(files, terms, door, lambda so_far: progress(f"{len(so_far.documents)} published"))


def ingest_topic(session: Session) -> str:
    """Where documents come in."""
    return session.pipeline.topics(session.pipeline.first).input


def tell(done: HandedIn, ends: Ends, waited: bool, as_json: bool) -> None:
    """Say what became of each file."""
    progress("")
    if as_json:
        data(
            {
                "published": [answer(path, document, ends) for path, document in sorted(done.documents.items())],
                "failed": [{"path": path, "message": why} for path, why in sorted(done.failed.items())],
                "states": ends.counts,
                "on_their_way": ends.open,
            }
        )
        return
    rows = [entry for path, document in sorted(done.documents.items()) if (entry := answer(path, document, ends))]
    columns = ("path", "document_id", *(("state", "stage", "failure", "message") if waited else ()))
    table(columns, [[row.get(column, "") for column in columns] for row in rows])
    for path, why in sorted(done.failed.items()):
        print(f"not published: {path}: {why}")
    if waited:
        print(", ".join(f"{number} {state}" for state, number in sorted(ends.counts.items())) or "nothing has ended")


def answer(path: str, document_id: str, ends: Ends) -> dict[str, Any]:
    """What is known of one file."""
    end = ends.seen.get(document_id)
    return {"path": path, "document_id": document_id} | (asdict(end) if end else {})
