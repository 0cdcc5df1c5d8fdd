"""Bad and hostile requests: each gets an answer that names what is wrong, and nothing is published."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.ingest.door import Limits
from tests.ingest.world import World, noted, opened

JSON = {"content-type": "application/json"}


async def refusal(world: World, **request: Any) -> tuple[int, str]:
    """Status and code of a request that must be refused."""
    answer = await world.client.post("/documents", **request)
    error = answer.json()["error"]
    assert error["message"]
    assert world.kafka.events == []
    return answer.status_code, error["code"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"text": "\\ud800"}', b'{"text": "\xff"}', b'{"a":' * 900, b"[" * 5000, b"nul"]
)
async def test_what_is_no_json_is_malformed(world: World, body: bytes) -> None:
    assert await refusal(world, content=body, headers=JSON) == (400, "malformed_json")


@pytest.mark.parametrize("body", [[], [{"text": "a"}], "text", 7, True, {"documents": []}, {"documents": {}}])
async def test_json_of_another_shape_is_refused(world: World, body: Any) -> None:
    assert await refusal(world, json=body) == (422, "invalid_event")


async def test_more_documents_than_a_request_may_hold_are_refused(world: World) -> None:
    assert await refusal(world, json={"documents": [{"text": "a"}] * 6}) == (422, "invalid_event")


@pytest.mark.parametrize(
    "document_id",
    ["x" * 201, "a\0b", "a\nb", "a\x1b[31m", "\u202egnp.exe", " a", "a ", "../../etc/passwd", "a/./b", "..", "\u2028"],
)
async def test_an_id_that_could_harm_is_refused(world: World, document_id: str) -> None:
    assert await refusal(world, json={"document_id": document_id, "text": "a"}) == (422, "invalid_event")
    assert await refusal(world, json={"tenant": document_id, "text": "a"}) == (422, "invalid_event")
    form = {"data": {"document_id": document_id}, "files": {"file": b"a"}}
    assert await refusal(world, **form) == (422, "invalid_event")


@pytest.mark.parametrize("document_id", ["ö", "x" * 200, "inbox/2026 03/a.pdf", "'; drop table results; --", "文書"])
async def test_an_unusual_id_is_taken_as_it_is(world: World, document_id: str) -> None:
    assert (await world.send(document_id=document_id, text="a")).status_code == 202
    answer = await world.client.get(f"/documents/{world.kafka.events[0].document_id}")
    assert answer.json()["document_id"] == document_id


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"text": "a", "uri": "file:///blobs/x"},
        {"uri": "file:///blobs/x"},
        {"uri": "file:///etc/passwd", "sha256": "0" * 64, "size": 5},
        {"text": "a", "tenant": ""},
        {"text": "a", "version": 0},
        {"text": "a", "version": 2**63},
        {"text": "a", "version": "newest"},
        {"text": "a", "tasks": ["extract"]},
        {"text": "a", "tasks": ["qa:"]},
        {"text": "a", "tasks": ["extraction"] * 33},
        {"text": "a", "metadata": {"a": 1}},
        {"text": "a", "metadata": {"a": "x" * 70_000}},
        {"text": "a", "filenam": "typo"},
        {"content_base64": "no base64!"},
        {"content_base64": "ö"},
    ],
)
async def test_a_field_that_is_wrong_is_named(document: dict[str, Any]) -> None:
    async with opened(Limits()) as world:
        assert await refusal(world, json=document) == (422, "invalid_event")


async def test_a_reference_to_nothing_is_said_to_be(world: World) -> None:
    document = {"uri": "file:///blobs/x", "sha256": "0" * 64, "size": 5}
    assert await refusal(world, json=document) == (422, "reference_missing")


async def test_a_reference_to_something_too_large_is_not_read(world: World) -> None:
    document = {"uri": "file:///blobs/x", "sha256": "0" * 64, "size": 4001}
    assert await refusal(world, json=document) == (413, "too_large")


async def test_an_empty_document_is_refused(world: World) -> None:
    assert await refusal(world, json={"text": ""}) == (422, "empty")
    assert await refusal(world, files={"file": b""}) == (422, "empty")
    assert await refusal(world, files={"file": (None, b"a field, no file")}) == (422, "empty")


async def test_a_document_over_the_limit_is_too_large(world: World) -> None:
    assert await refusal(world, files={"file": b"x" * 4001}) == (413, "too_large")
    assert await refusal(world, json={"text": "x" * 4001}) == (413, "too_large")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=b"])
async def test_an_endless_upload_is_cut_off_at_the_limit(world: World, content_type: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 100_000
            yield b"x" * 100_000

    status, code = await refusal(world, content=endless(), headers={"content-type": content_type})
    assert (status, code) == (413, "too_large")
    assert sent <= 2_000_000


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01", b"MZ\x90\0" + b"\0" * 70 + b"run in DOS mode", b"7z\xbc\xaf\x27\x1c"]
)
async def test_what_is_plainly_no_document_is_unsupported(world: World, data: bytes) -> None:
    assert await refusal(world, files={"file": data}) == (415, "unsupported")


@pytest.mark.parametrize("data", [b"MZ-200 manual", b"\0\0", b"RIFF is a format", b"<html>", b"PK\x03\x04"])
async def test_what_only_looks_odd_is_left_to_the_extract_stage(world: World, data: bytes) -> None:
    assert (await world.form(a_bin=data)).status_code == 202


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_a_request_in_another_form_is_told_which_ones_there_are(world: World, content_type: str) -> None:
    assert await refusal(world, content=b"a=b", headers={"content-type": content_type}) == (415, "unsupported")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"not a form at all"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file'),
    ],
)
async def test_a_form_that_is_none_is_refused(world: World, content_type: str, body: bytes) -> None:
    status, code = await refusal(world, content=body, headers={"content-type": content_type})
    assert (status, code) in {(400, "malformed_form"), (422, "empty")}


@pytest.mark.parametrize(
    "fields",
    [
        {"taks": "extraction"},
        {"version": ["1", "2"]},
        {"document_id": "one-for-all"},
        {"metadata": "[1]"},
        {"version": "two"},
        {"task": "everything"},
    ],
)
async def test_a_form_field_that_is_wrong_is_named(world: World, fields: dict[str, Any]) -> None:
    parts = [("file", ("a", b"a")), ("file", ("b", b"b"))]
    answer = await world.client.post("/documents", data=fields, files=parts)
    assert answer.status_code == 422
    assert next(iter(fields)).removesuffix("s")[:4] in answer.text
    assert world.kafka.events == []


async def test_too_many_fields_and_files_are_refused(world: World) -> None:
    async with opened(Limits()) as roomy:
        many = {"data": {"task": ["extraction"] * 1100}, "files": {"file": b"a"}}
        assert await refusal(roomy, **many) == (400, "malformed_form")
    assert await refusal(world, files=[("file", ("a", b"a"))] * 6) == (400, "malformed_form")


async def test_metadata_that_is_no_json_is_malformed(world: World) -> None:
    assert await refusal(world, data={"metadata": "{"}, files={"file": b"a"}) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\bob\\cv.docx", "cv.docx"),
        ("..", "."),
        ("a\x1b[31m.txt", "a[31m.txt"),
        ("x" * 500, "x" * 200),
        ("", ""),
    ],
)
async def test_a_file_name_keeps_no_way_and_no_control_characters(world: World, given: str, kept: str) -> None:
    assert (await world.send(text="a", filename=given)).status_code == 202
    assert world.kafka.events[0].filename == kept


@pytest.mark.parametrize("query", ["/a%00b", "?batch=a%00b", "?limit=0", "?limit=x", "?limit=99999999999999999999"])
async def test_a_question_that_cannot_be_asked_is_refused(world: World, query: str) -> None:
    answer = await world.client.get(f"/documents{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_event")


async def test_an_unknown_path_or_method_is_answered_in_json(world: World) -> None:
    assert (await world.client.get("/nowhere")).json()["error"]["code"] == "not_found"
    answer = await world.client.delete("/documents")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


async def test_a_fault_of_ours_is_not_blamed_on_the_sender(world: World) -> None:
    world.database.rows["d"] = {"version": "rubbish"}
    world.database.noted["d"] = noted("d")
    answer = await world.client.get("/documents/d")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
