"""The claim check of large fields: what travels inside a record, and what by reference."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Reference
from shared.core.context import BlobReference, StoredBlob
from shared.core.errors import Failed
from shared.core.failures import Failure
from shared.pipelines.content import CARRIED_BYTES, bytes_of, carried, carried_bytes, text_of


class Shelf:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, data: bytes) -> StoredBlob:
        digest = hashlib.sha256(data).hexdigest()
        self.kept[f"shelf://{digest}"] = data
        return StoredBlob(f"shelf://{digest}", digest, len(data))

    async def get(self, reference: BlobReference) -> bytes:
        return self.kept[reference.uri]


def context() -> Any:
    return SimpleNamespace(blobs=Shelf())


@given(st.text(max_size=200))
async def test_a_short_text_is_carried_as_it_is(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    ctx = context()
    assert await carried(text, ctx) == text
    assert ctx.blobs.kept == {}


@pytest.mark.parametrize(("length", "inside"), [(CARRIED_BYTES, True), (CARRIED_BYTES + 1, False)])
async def test_the_limit_counts_bytes_and_what_is_over_it_comes_back_by_reference(length: int, inside: bool) -> None:
    ctx = context()
    text = "é" * (length // 2) + "a" * (length % 2)
    sent = await carried(text, ctx)
    assert isinstance(sent, str) is inside
    assert await text_of(sent, ctx) == text


async def test_large_bytes_come_back_by_reference() -> None:
    ctx = context()
    data = b"\x00\xff" * CARRIED_BYTES
    sent = await carried_bytes(data, ctx)
    assert isinstance(sent, Reference)
    assert await bytes_of(sent, ctx) == data
    assert await carried_bytes(b"x", ctx) == b"x"


async def test_stored_bytes_that_are_no_text_fail_as_an_invalid_event() -> None:
    ctx = context()
    sent = await carried_bytes(b"\xff" * (CARRIED_BYTES + 1), ctx)
    assert isinstance(sent, Reference)
    with pytest.raises(Failed, match="not UTF-8") as caught:
        await text_of(sent, ctx)
    assert caught.value.failure is Failure.INVALID_EVENT
