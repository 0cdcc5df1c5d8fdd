"""What every store of blobs does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.core.context import Blobs
from shared.core.errors import Failed
from shared.core.failures import Failure


@pytest.mark.parametrize("data", [b"a document", b"", bytes(300_000)], ids=["text", "empty", "large"])
async def test_what_was_put_comes_back(blobs: Blobs, data: bytes) -> None:
    stored = await blobs.put(data)
    assert stored.size == len(data)
    assert await blobs.get(stored) == data


async def test_the_same_bytes_are_kept_once(blobs: Blobs) -> None:
    assert await blobs.put(b"same") == await blobs.put(b"same")


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"uri": "file:///etc/passwd"}, Failure.INVALID_EVENT),
        ({"uri": "s3://elsewhere/x"}, Failure.INVALID_EVENT),
        ({"sha256": "0" * 64}, Failure.REFERENCE_MISSING),
        ({"size": 1}, Failure.REFERENCE_MISSING),
    ],
)
async def test_a_reference_that_lies_is_refused_by_class(
    blobs: Blobs, changes: dict[str, object], failure: Failure
) -> None:
    stored = await blobs.put(b"a document")
    with pytest.raises(Failed) as raised:
        await blobs.get(replace(stored, **changes))  # type: ignore[arg-type]
    assert raised.value.failure is failure


async def test_what_was_never_put_is_missing_and_what_climbs_out_is_invalid(blobs: Blobs) -> None:
    stored = await blobs.put(b"a document")
    for uri, failure in (
        (stored.uri[:-1] + ("0" if stored.uri[-1] != "0" else "1"), Failure.REFERENCE_MISSING),
        (stored.uri.replace(stored.sha256, "../../secret"), Failure.INVALID_EVENT),
    ):
        with pytest.raises(Failed) as raised:
            await blobs.get(replace(stored, uri=uri))
        assert raised.value.failure is failure
