"""A document as it was handed in, its fields checked, its bytes not yet read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.events import Reference
from shared.core.errors import Failed
from shared.pipelines.tasks import wanted

METADATA_BYTES = 64 * 1024
LONGEST_VERSION = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Content:
    """A document's bytes, wherever they are at the moment."""

    size: int
    """How many; known before they are read."""
    read: Callable[[], Awaitable[bytes]]
    """Brings them into memory."""
    reference: Reference | None = None
    """Where they were put by the sender."""


def named(value: str) -> str:
    """An id that can stand in a key, a path and a log line."""
    if not value.isprintable() or value != value.strip():
        raise ValueError("no control characters, and no space at its ends")
    if any(part in (".", "..") for part in value.split("/")):
        raise ValueError("no . or .. between its slashes")
    return value


def hint(value: str) -> str:
    """Something a sender says that nothing depends on: what cannot be shown is left out."""
    return "".join(mark for mark in value if mark.isprintable())[:200]


def basename(value: str) -> str:
    """A file's name without the way to it: a name is shown and stored, and must lead nowhere."""
    return hint(PurePosixPath(value.replace("\\", "/")).name).replace("..", ".")


def doable(tasks: tuple[str, ...]) -> tuple[str, ...]:
    """Tasks that the pipeline knows."""
    try:
        wanted(tasks)
    except Failed as error:
        raise ValueError(error.message) from error
    return tasks


def small(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata that a record can carry."""
    if sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items()) > METADATA_BYTES:
        raise ValueError(f"at most {METADATA_BYTES:,} bytes in all")
    return metadata


Name = Annotated[str, Field(max_length=200), AfterValidator(named)]
Task = Annotated[str, Field(max_length=2000)]


class Handed(BaseModel):
    """What the sender said of a document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_id: Name = ""
    """The document's name for life; empty: made from tenant and content."""
    tenant: Annotated[Name, Field(min_length=1)] = "default"
    """On whose account."""
    version: int = Field(default=1, ge=1, le=LONGEST_VERSION)
    """Grows with each new submission of the same document."""
    batch_id: Name = ""
    """The batch it comes with."""
    filename: Annotated[str, AfterValidator(basename)] = ""
    """What its owner calls it."""
    content_type: Annotated[str, AfterValidator(hint)] = ""
    """Media type as declared; a hint."""
    tasks: Annotated[tuple[Task, ...], Field(max_length=32), AfterValidator(doable)] = ()
    """What is wanted; empty: what suits its type."""
    metadata: Annotated[dict[str, str], AfterValidator(small)] = Field(default_factory=dict)
    """The sender's own notes."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document at the door."""

    handed: Handed
    """What was said of it."""
    content: Content
    """Its bytes."""


def in_memory(data: bytes) -> Content:
    """Bytes that came inside the request."""

    async def read() -> bytes:
        return data

    return Content(len(data), read)
