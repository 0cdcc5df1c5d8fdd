"""Text and files too large for a record travel by reference; these four functions are the only ones that know it."""

from schemas.events import Reference
from shared.core.context import Context
from shared.core.errors import Failed
from shared.core.failures import Failure

CARRIED_BYTES = 256 * 1024
"""Largest field that travels inside a record, in bytes of UTF-8."""


async def text_of(value: str | Reference, ctx: Context) -> str:
    """The text itself, wherever it is. Raises Failed(invalid_event) where the stored bytes are no text."""
    if isinstance(value, str):
        return value
    data = await ctx.blobs.get(value)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Failed(
            Failure.INVALID_EVENT, f"text {value.uri} is not UTF-8 (byte {error.start}): store it as UTF-8"
        ) from error


async def bytes_of(value: bytes | Reference, ctx: Context) -> bytes:
    """The bytes themselves, wherever they are."""
    return await ctx.blobs.get(value) if isinstance(value, Reference) else value


async def carried(text: str, ctx: Context) -> str | Reference:
    """The text as a record can carry it: itself, or a reference to where it was put."""
    data = text.encode()
    return text if len(data) <= CARRIED_BYTES else await put(data, ctx)


async def carried_bytes(data: bytes, ctx: Context) -> bytes | Reference:
    """The bytes as a record can carry them: themselves, or a reference to where they were put."""
    return data if len(data) <= CARRIED_BYTES else await put(data, ctx)


async def put(data: bytes, ctx: Context) -> Reference:
    """Keep bytes outside Kafka."""
    blob = await ctx.blobs.put(data)
    return Reference(uri=blob.uri, sha256=blob.sha256, size=blob.size)
