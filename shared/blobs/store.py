"""Bytes too large for Kafka, in a folder or a bucket, under the hash of their content.

`<address>/<first two digits>/<sha256>`: the same bytes have the same place, so that putting them twice is harmless, and
what is read is checked against its name. The address is `file:///folder` or `s3://bucket/prefix`; for S3, credentials
and endpoint come from the AWS variables of the environment.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from shared.core.context import BlobReference, StoredBlob
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.failures import Failure

if TYPE_CHECKING:  # these two exist for type checkers alone
    from obstore.store import ClientConfig, RetryConfig

T = TypeVar("T")

NAME = "blobs"
"""The dependency, as `Unavailable` names it."""

CLIENT: "ClientConfig" = {"connect_timeout": "5s", "timeout": "60s", "allow_http": True}
"""An endpoint without TLS is used only where AWS_ENDPOINT names one, such as a MinIO next door."""
RETRY: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
"""How long the client itself tries again; beyond that the caller waits, which spends no attempt."""


class BlobStore:
    """`Blobs` on a folder or a bucket."""

    def __init__(self, address: str, store: ObjectStore) -> None:
        self._address = address.rstrip("/") + "/"
        self._store = store

    async def put(self, data: bytes) -> StoredBlob:
        """Keep the bytes; they are there in whole or not at all, and the same bytes twice are kept once."""
        digest = await asyncio.to_thread(sha256, data)
        key = f"{digest[:2]}/{digest}"
        # Written again where it is there already: that costs little, and mends a file that was damaged.
        await self._reach(lambda: obstore.put(self._store, key, data))
        return StoredBlob(self._address + key, digest, len(data))

    async def get(self, reference: BlobReference) -> bytes:
        """Fetch the bytes. Raises Failed: invalid_event outside the address, reference_missing if gone or changed."""
        key = self._key(reference.uri)
        data = await self._reach(lambda: self._fetch(key, reference))
        if await asyncio.to_thread(sha256, data) != reference.sha256.lower():
            raise missing(reference, "its bytes have another hash than the reference says")
        return data

    def _fetch(self, key: str, reference: BlobReference) -> bytes:
        try:
            found = obstore.get(self._store, key)
        except FileNotFoundError as error:
            raise missing(reference, "nothing is there") from error
        # Before the bytes are read: a reference may lie about a file that does not fit in memory.
        if found.meta["size"] != reference.size:
            raise missing(reference, f"it holds {found.meta['size']} bytes, the reference says {reference.size}")
        return bytes(found.bytes())

    def _key(self, uri: str) -> str:
        """The place below the address. Raises Failed(invalid_event) for any other, however it is written."""
        key = uri.removeprefix(self._address)
        plain = key.isprintable() and not any(mark in key for mark in "\\%?#")
        if key == uri or not plain or any(part in ("", ".", "..") for part in key.split("/")):
            raise Failed(
                Failure.INVALID_EVENT,
                f"reference {uri[:200]!r} is not below {self._address} (PENSTOCK_BLOB_URL): put the file there",
            )
        return key

    async def _reach(self, call: Callable[[], T]) -> T:
        """Run a blocking call in a thread.

        Not obstore's own coroutines: their threads call back into Python while it exits, which now and then aborts the
        process (7 of 25 exits after a failed request).
        """
        try:
            return await asyncio.to_thread(call)
        except (BaseError, OSError) as error:
            raise Unavailable(NAME, f"{self._address} cannot be reached: {first_line(error)}") from error


def open_blobs(url: str) -> BlobStore:
    """The blobs at an address. Raises Misconfigured where it is none, or a folder that cannot be made."""
    try:
        if url.startswith("file:///"):
            return BlobStore(url, LocalStore.from_url(url, mkdir=True))
        if url.startswith("s3://"):
            return BlobStore(url, S3Store.from_url(url, client_options=CLIENT, retry_config=RETRY))
    except (BaseError, OSError, ValueError) as error:
        raise Misconfigured(f"PENSTOCK_BLOB_URL = {url!r}: {first_line(error)}") from error
    raise Misconfigured(f"PENSTOCK_BLOB_URL = {url!r}: it must be file:///folder or s3://bucket/prefix")


def missing(reference: BlobReference, why: str) -> Failed:
    """The failure of a reference that cannot be resolved."""
    return Failed(Failure.REFERENCE_MISSING, f"reference {reference.uri[:200]}: {why}; put the file back")


def sha256(data: bytes) -> str:
    """Hash in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def first_line(error: Exception) -> str:
    """What went wrong; obstore appends its whole inner state."""
    return str(error).partition("\n")[0]
