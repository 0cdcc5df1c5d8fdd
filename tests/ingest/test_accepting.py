"""What the door takes, once, and what it says of it."""

import asyncio
import base64
import hashlib
import json

import pytest

from schemas.events import Reference
from tests.ingest.world import NOW, World


async def test_a_document_in_a_form_is_published_with_all_that_was_said_of_it(world: World) -> None:
    fields = {
        "document_id": "inbox/7",
        "tenant": "acme",
        "version": "3",
        "batch": "march",
        "task": ["extraction", "qa:Who pays?"],
        "metadata": '{"source": "mail"}',
    }
    answer = await world.form(fields, invoice_pdf=b"%PDF-1.7")
    assert answer.status_code == 202
    assert answer.json()["state"] == "accepted"
    assert answer.headers["location"] == "/documents/inbox%2F7"
    (event,) = world.kafka.events
    assert (event.document_id, event.tenant, event.version, event.batch_id) == ("inbox/7", "acme", 3, "march")
    assert (event.filename, event.content_type, event.content) == ("invoice.pdf", "application/pdf", b"%PDF-1.7")
    assert (event.tasks, event.metadata) == (("extraction", "qa:Who pays?"), {"source": "mail"})
    assert event.submitted_at == NOW


@pytest.mark.parametrize(
    "content", [{"text": "Grüße"}, {"content_base64": base64.b64encode("Grüße".encode()).decode()}]
)
async def test_a_document_in_json_is_published(world: World, content: dict[str, str]) -> None:
    assert (await world.send(**content, filename="a.txt", tasks=["summarization"])).status_code == 202
    (event,) = world.kafka.events
    assert (event.content, event.filename, event.tasks) == ("Grüße".encode(), "a.txt", ("summarization",))


async def test_a_large_document_is_put_aside_and_goes_by_reference(world: World) -> None:
    data = b"x" * 1001
    assert (await world.form(large_txt=data)).status_code == 202
    (event,) = world.kafka.events
    assert isinstance(event.content, Reference)
    assert world.blobs.kept[event.content.uri] == data


async def test_a_document_that_the_sender_put_aside_goes_by_that_reference(world: World) -> None:
    blob = await world.blobs.put(b"already there")
    answer = await world.send(uri=blob.uri, sha256=blob.sha256, size=blob.size)
    assert answer.status_code == 202
    assert world.kafka.events[0].content == Reference(uri=blob.uri, sha256=blob.sha256, size=blob.size)


async def test_the_same_file_of_the_same_tenant_is_one_document_whatever_it_is_called(world: World) -> None:
    first = await world.form(a_txt=b"Dear Bob")
    again = await world.form(b_txt=b"Dear Bob")
    other = await world.form({"tenant": "acme"}, a_txt=b"Dear Bob")
    assert [answer.status_code for answer in (first, again, other)] == [202, 200, 202]
    assert first.json()["document_id"] == again.json()["document_id"] != other.json()["document_id"]
    assert again.json()["state"] == "already accepted"
    assert "higher version" in again.json()["message"]
    assert len(world.kafka.events) == 2


async def test_other_content_under_the_same_id_needs_a_higher_version(world: World) -> None:
    assert (await world.send(document_id="d", text="one", version=2)).status_code == 202
    conflict = await world.send(document_id="d", text="two", version=2)
    assert conflict.status_code == 409
    assert "version 3" in conflict.json()["error"]["remedy"]
    assert (await world.send(document_id="d", text="two", version=3)).status_code == 202
    assert (await world.send(document_id="d", text="one", version=2)).status_code == 409
    assert [event.version for event in world.kafka.events] == [2, 3]


async def test_an_id_of_another_tenant_is_not_taken_over(world: World) -> None:
    await world.send(document_id="d", text="one", tenant="acme")
    answer = await world.send(document_id="d", text="one", tenant="evil", version=9)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "version_conflict")
    assert len(world.kafka.events) == 1


async def test_the_same_document_sent_many_times_at_once_is_published_once(world: World) -> None:
    answers = await asyncio.gather(*(world.send(text="Dear Bob") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [202]
    assert len(world.kafka.events) == 1


async def test_each_document_of_a_batch_has_its_own_status(world: World) -> None:
    documents = [
        {"document_id": "a", "text": "one"},
        {"document_id": "a", "text": "two"},
        {"document_id": "b", "text": ""},
        {"document_id": "c", "txt": "typo"},
        "no object",
    ]
    answer = await world.client.post("/documents", json={"batch_id": "march", "documents": documents})
    body = answer.json()
    assert (answer.status_code, body["accepted"], body["refused"]) == (202, 1, 4)
    assert [(one["index"], one["status"]) for one in body["documents"]] == [
        (0, 202),
        (1, 409),
        (2, 422),
        (3, 422),
        (4, 422),
    ]
    assert world.kafka.events[0].batch_id == "march"


async def test_many_files_of_a_form_are_many_documents(world: World) -> None:
    answer = await world.form({"batch": "march"}, a_txt=b"one", b_txt=b"", c_txt=b"three")
    assert [one["status"] for one in answer.json()["documents"]] == [202, 422, 202]
    assert sorted(event.filename for event in world.kafka.events) == ["a.txt", "c.txt"]


async def test_a_batch_of_which_nothing_was_taken_does_not_look_like_a_success(world: World) -> None:
    world.kafka.away = True
    documents = [{"text": "one"}, {"text": ""}]
    answer = await world.client.post("/documents", json={"documents": documents})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert [one["status"] for one in answer.json()["documents"]] == [503, 422]


async def test_without_kafka_nothing_is_accepted_and_a_later_try_succeeds(world: World) -> None:
    world.kafka.away = True
    answer = await world.send(text="Dear Bob")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert "send the same again" in answer.json()["error"]["remedy"]
    assert world.database.noted == {}
    world.kafka.away = False
    assert (await world.send(text="Dear Bob")).status_code == 202


async def test_without_the_database_documents_are_accepted_and_the_answer_says_what_is_missing(world: World) -> None:
    world.database.away = True
    documents = [{"text": f"number {number}"} for number in range(5)]
    answer = await world.client.post("/documents", json={"documents": documents})
    assert [one["deduplication"] for one in answer.json()["documents"]] == ["off"] * 5
    assert len(world.kafka.events) == 5
    assert world.database.asked <= 2, "once it is known to be away, the request waits for it no more"


async def test_the_hash_in_the_answer_is_that_of_the_bytes(world: World) -> None:
    answer = await world.form(a_bin=b"Dear\0Bob")
    assert answer.json()["sha256"] == hashlib.sha256(b"Dear\0Bob").hexdigest()
    assert json.loads(answer.text)["since"] == NOW.isoformat()
