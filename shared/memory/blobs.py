"""Blobs in memory, under an address of their own."""

import hashlib

from shared.core.context import BlobReference, StoredBlob
from shared.core.errors import Failed
from shared.core.failures import Failure

ADDRESS = "memory:///"


class MemoryBlobs:
    """`Blobs` that are gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def put(self, data: bytes) -> StoredBlob:
        """Keep the bytes; the same bytes twice are kept once."""
        digest = hashlib.sha256(data).hexdigest()
        stored = StoredBlob(f"{ADDRESS}{digest[:2]}/{digest}", digest, len(data))
        self._kept[stored.uri] = data
        return stored

    async def get(self, reference: BlobReference) -> bytes:
        """Fetch the bytes. Raises Failed: invalid_event outside the address, reference_missing if gone or changed."""
        if not reference.uri.startswith(ADDRESS) or ".." in reference.uri:
            raise Failed(
                Failure.INVALID_EVENT, f"reference {reference.uri[:200]!r} is not below {ADDRESS}: put it there"
            )
        data = self._kept.get(reference.uri)
        if data is None:
            raise Failed(Failure.REFERENCE_MISSING, f"reference {reference.uri[:200]}: nothing is there; put it back")
        if (hashlib.sha256(data).hexdigest(), len(data)) != (reference.sha256.lower(), reference.size):
            raise Failed(
                Failure.REFERENCE_MISSING,
                f"reference {reference.uri[:200]}: the bytes there are others than it says; put them back",
            )
        return data
