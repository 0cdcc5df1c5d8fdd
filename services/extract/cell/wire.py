"""The frames between the service and a worker: a small JSON head, then raw bytes.

JSON and never pickle: a worker that a hostile document has taken over must not be able to run code in the service.
"""

import asyncio
import json
import socket
import struct
from dataclasses import asdict
from typing import Any

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from shared.core.failures import Failure

_SIZES = struct.Struct("!IQ")
HEAD_BYTES = 1024 * 1024

Frame = tuple[dict[str, Any], bytes]
Result = Extraction | Unreadable


class OverlongFrame(Exception):
    """A frame announces more bytes than its reader accepts."""


def pack(head: dict[str, Any], body: bytes) -> bytes:
    """Build a frame."""
    encoded = json.dumps(head).encode()
    return _SIZES.pack(len(encoded), len(body)) + encoded + body


def request(document: Document, limits: Limits) -> bytes:
    """Ask a worker to read a document."""
    head = {"filename": document.filename, "content_type": document.content_type, "limits": asdict(limits)}
    return pack(head, document.data)


def as_request(frame: Frame) -> tuple[Document, Limits]:
    """Understand what the service asks."""
    head, body = frame
    return Document(body, head["filename"], head["content_type"]), Limits(**head["limits"])


def answer(result: Result, peak: int) -> bytes:
    """Send back a result, with the peak memory of the worker in bytes."""
    head = asdict(result) | {"peak": peak}
    return pack(head, head.pop("text", "").encode("utf-8", "replace"))


def as_answer(frame: Frame) -> tuple[Result, int]:
    """Understand what a worker found."""
    head, body = frame
    peak = int(head.pop("peak"))
    if "failure" in head:
        return Unreadable(Failure(head["failure"]), str(head["message"])), peak
    head |= {"warnings": tuple(head["warnings"]), "unread": tuple(head["unread"])}
    return Extraction(text=body.decode("utf-8", "replace"), **head), peak


def receive(connection: socket.socket) -> Frame | None:
    """Wait for a frame; None when the other side is gone."""
    sizes = _exactly(connection, _SIZES.size)
    if sizes is None:
        return None
    head_size, body_size = _SIZES.unpack(sizes)
    head, body = _exactly(connection, head_size), _exactly(connection, body_size)
    return None if head is None or body is None else (json.loads(head), bytes(body))


async def read(reader: asyncio.StreamReader, limit: int) -> Frame:
    """Wait for a frame whose body has at most `limit` bytes."""
    head_size, body_size = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    if head_size > HEAD_BYTES or body_size > limit:
        raise OverlongFrame(f"a worker announces {body_size:,} bytes of text, more than {limit:,}")
    return json.loads(await reader.readexactly(head_size)), await reader.readexactly(body_size)


def _exactly(connection: socket.socket, size: int) -> bytearray | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return buffer
