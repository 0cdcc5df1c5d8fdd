"""Blobs: by content, checked when read, and never outside their address."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.blobs.store import open_blobs
from shared.core.context import StoredBlob
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.failures import Failure

DATA = b"%PDF-1.7 a document"


def files(folder: Path) -> list[Path]:
    """Every file below."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def failure_of(address: str, reference: StoredBlob) -> Failure:
    """How getting it fails."""
    with pytest.raises(Failed) as raised:
        await open_blobs(address).get(reference)
    return raised.value.failure


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A folder that is not there yet, with a name that a URL has to escape."""
    return (tmp_path / "our blobs").as_uri()


@pytest.mark.parametrize("data", [DATA, b"", bytes(3_000_000)])
async def test_what_was_put_comes_back(address: str, data: bytes) -> None:
    blobs = open_blobs(address)
    stored = await blobs.put(data)
    digest = hashlib.sha256(data).hexdigest()
    assert stored == StoredBlob(f"{address}/{digest[:2]}/{digest}", digest, len(data))
    assert await blobs.get(stored) == data


async def test_the_same_bytes_put_many_times_at_once_are_kept_once(address: str, tmp_path: Path) -> None:
    blobs = open_blobs(address)
    assert len(set(await asyncio.gather(*(blobs.put(DATA) for _ in range(8))))) == 1
    assert len(files(tmp_path)) == 1


async def test_a_damaged_blob_is_missing_until_it_is_put_again(address: str, tmp_path: Path) -> None:
    blobs = open_blobs(address)
    stored = await blobs.put(DATA)
    (path,) = files(tmp_path)
    for damage in (DATA[:-1], DATA[:-1] + b"!"):
        path.write_bytes(damage)
        assert await failure_of(address, stored) is Failure.REFERENCE_MISSING
    await blobs.put(DATA)
    assert await blobs.get(stored) == DATA
    path.unlink()
    assert await failure_of(address, stored) is Failure.REFERENCE_MISSING


async def test_a_reference_with_the_wrong_size_is_missing_before_anything_is_read(address: str) -> None:
    stored = await open_blobs(address).put(DATA)
    assert await failure_of(address, replace(stored, size=5)) is Failure.REFERENCE_MISSING


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/ab/../../secret",
        "/./secret",
        "/%2e%2e/secret",
        "/..\\secret",
        "//secret",
        "/ab//secret",
        "/",
        "",
        "-evil/secret",
        "/a\0b",
        "/a\nb",
        "/\ud800",
        "/secret?x=1",
        "/secret#x",
    ],
)
async def test_a_reference_outside_the_address_is_refused_however_it_is_written(
    address: str, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_bytes(DATA)
    reference = StoredBlob(address + path, hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert await failure_of(address, reference) is Failure.INVALID_EVENT


@pytest.mark.parametrize("uri", ["", "file:///etc/passwd", "/etc/passwd", "http://127.0.0.1/x", "s3://other/x"])
async def test_a_reference_to_another_place_is_refused(address: str, uri: str) -> None:
    assert await failure_of(address, StoredBlob(uri, "0" * 64, 1)) is Failure.INVALID_EVENT


@pytest.mark.parametrize("url", ["", "blobs", "file:relative", "file://host/x", "ftp://host/x", "file:///proc/none"])
def test_an_address_that_is_none_is_named_with_its_setting(url: str) -> None:
    with pytest.raises(Misconfigured, match="PENSTOCK_BLOB_URL"):
        open_blobs(url)


async def test_a_place_that_cannot_be_written_is_unavailable(address: str, tmp_path: Path) -> None:
    blobs = open_blobs(address)
    (tmp_path / "our blobs" / hashlib.sha256(DATA).hexdigest()[:2]).write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match="cannot be reached"):
        await blobs.put(DATA)


@contextmanager
def bucket() -> Iterator[str]:
    """Just enough of S3 to put and get; gives its endpoint."""
    kept: dict[str, bytes] = {}

    class Bucket(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200, b"")

        def do_GET(self) -> None:
            self.answer(200 if self.path in kept else 404, kept.get(self.path, b""))

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", '"x"')
            self.send_header("Last-Modified", "Sun, 01 Mar 2026 12:00:00 GMT")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The AWS variables, but for the endpoint."""
    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y", "REGION": "z"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return monkeypatch


async def test_a_bucket_keeps_blobs_like_a_folder(s3: pytest.MonkeyPatch) -> None:
    with bucket() as endpoint:
        s3.setenv("AWS_ENDPOINT", endpoint)
        blobs = open_blobs("s3://documents/inbox")
        stored = await blobs.put(DATA)
        assert stored.uri == f"s3://documents/inbox/{stored.sha256[:2]}/{stored.sha256}"
        assert await blobs.get(stored) == DATA
        gone = replace(stored, uri=stored.uri[:-1] + "0")
        assert await failure_of("s3://documents/inbox", gone) is Failure.REFERENCE_MISSING


async def test_a_bucket_that_is_away_is_unavailable(s3: pytest.MonkeyPatch) -> None:
    s3.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="s3://documents/inbox"):
        await open_blobs("s3://documents/inbox").put(DATA)
