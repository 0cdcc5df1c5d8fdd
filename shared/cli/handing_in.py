"""Files on the way to the ingest topic: found, named, made into events, published many at a time."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from schemas.events import DocumentSubmitted, Reference
from shared.core.context import Blobs
from shared.core.errors import Failed
from shared.pipelines.identity import content_id
from shared.ports import Publisher

INLINE_BYTES = 512 * 1024
"""Largest file that travels inside its record; a larger one is kept outside, and the record refers to it."""
AT_ONCE = 32
"""Files on their way at the same time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all files of one command."""

    tenant: str = "default"
    """On whose account."""
    batch_id: str = ""
    """The batch they come with."""
    tasks: tuple[str, ...] = ()
    """What is wanted."""
    document_id: str = ""
    """The id of the one file there is; empty: from its content."""
    version: int = 1
    """Version of the submission: what is stored or cancelled flows again under a higher one."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where files go."""

    topic: str
    """The ingest topic."""
    publisher: Publisher
    """Writes to it."""
    blobs: Blobs
    """Keeps large files."""


@dataclass(slots=True)
class HandedIn:
    """What became of the files."""

    documents: dict[str, str] = field(default_factory=dict)
    """Path to document id, of those that Kafka has."""
    failed: dict[str, str] = field(default_factory=dict)
    """Path to why, of the others."""


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named, however deep; hidden ones left out.

    Raises FileNotFoundError.
    """
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            yield from (entry for entry in inside if not any(p.startswith(".") for p in entry.relative_to(path).parts))
        elif path.exists():
            yield path
        else:
            raise FileNotFoundError(f"{path}: there is no such file or folder")


async def submission(path: Path, terms: Terms, blobs: Blobs) -> DocumentSubmitted:
    """The event for a file. Raises OSError, or Unavailable where a large file cannot be kept."""
    data = await asyncio.to_thread(path.read_bytes)
    content: bytes | Reference = data
    if len(data) > INLINE_BYTES:
        blob = await blobs.put(data)
        content = Reference(uri=blob.uri, sha256=blob.sha256, size=blob.size)
    return DocumentSubmitted(
        document_id=terms.document_id or content_id(terms.tenant, data),
        tenant=terms.tenant,
        version=terms.version,
        batch_id=terms.batch_id,
        filename=path.name,
        content=content,
        tasks=terms.tasks,
        submitted_at=datetime.now(UTC),
    )


async def hand_in(
    paths: Iterable[Path], terms: Terms, to: Door, report: Callable[[HandedIn], None] = lambda so_far: None
) -> HandedIn:
    """Publish the files; one that cannot be read or is refused does not keep the others back."""
    done = HandedIn()
    waiting = iter(paths)

    async def carry() -> None:
        for path in waiting:
            try:
                event = await submission(path, terms, to.blobs)
                await to.publisher.publish(to.topic, event)
                done.documents[str(path)] = event.document_id
            except (OSError, Failed) as error:
                done.failed[str(path)] = str(error)
            report(done)

    await asyncio.gather(*(carry() for _ in range(AT_ONCE)))
    return done
