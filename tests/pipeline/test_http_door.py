"""Documents handed in over HTTP, and asked for over HTTP, with the whole pipeline in between."""

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline.live.installation import Documents
from tests.pipeline.live.texts import INVOICE, fields_of, invoice

INLINE = 512 * 1024
QUESTION = "Where were the planks delivered?"


def asked_for(documents: Documents, location: str) -> dict[str, Any]:
    """What the door says of a document."""
    said: dict[str, Any] = httpx.get(documents.door + location).raise_for_status().json()
    return said


def wait_until_stored(documents: Documents, answer: httpx.Response) -> dict[str, Any]:
    """Ask the door for what was just handed in, until it is stored."""
    assert answer.status_code == 202, answer.text
    location = answer.headers["location"]
    documents.herd.wait_until(
        lambda: asked_for(documents, location)["state"] == "stored", 60, lambda: str(asked_for(documents, location))
    )
    return asked_for(documents, location)


def test_a_pdf_in_a_form_is_stored_with_its_fields(documents: Documents) -> None:
    data = Path("infra/samples/documents/invoice-bw-20417.pdf").read_bytes()
    answer = httpx.post(
        f"{documents.door}/documents",
        data={"document_id": "door/pdf", "batch": "door", "metadata": '{"desk": "7"}'},
        files={"file": ("invoice.pdf", data)},
    )
    assert answer.json()["state"] == "accepted"
    found = wait_until_stored(documents, answer)
    assert (found["document_type"], found["fields"]["invoice_number"]) == ("invoice", "BW-20417")
    assert (found["filename"], found["batch_id"], found["metadata"]) == ("invoice.pdf", "door", {"desk": "7"})


def test_a_text_in_json_with_a_question_a_summary_and_no_id_has_an_answer_that_stands_in_it(
    documents: Documents,
) -> None:
    text = INVOICE.format(name="AW-7001")
    handed = {"text": text, "tasks": [f"qa:{QUESTION}", "summarization"], "tenant": "acme"}
    found = wait_until_stored(documents, httpx.post(f"{documents.door}/documents", json=handed))
    assert found["answers"] == {QUESTION: "The planks were delivered on 2 March to the north gate."}
    assert found["summary"]
    assert found["summary"] in text.replace("\n", " ")
    assert (found["tenant"], found["fields"]) == ("acme", {})
    assert {call["task"] for call in found["calls"]} == {"qa", "summarization"}


def test_a_file_too_large_for_a_record_goes_the_whole_way_by_reference(documents: Documents) -> None:
    name = "large-1"
    text = INVOICE.format(name=name) + "".join(f"Line {n} of the appendix says nothing.\n" for n in range(16_000))
    assert len(text) > INLINE
    handed = {"document_id": name, "content_base64": base64.b64encode(text.encode()).decode()}
    found = wait_until_stored(documents, httpx.post(f"{documents.door}/documents", json=handed, timeout=20))
    assert found["fields"] == fields_of(name)
    for topic in ("ingest", "classify", "analyze", "validate", "store"):
        [(_, value, _)] = documents.read(topic, [name])
        assert len(value) < 10_000, topic


def test_the_same_document_twice_at_the_door_has_one_result(documents: Documents) -> None:
    handed = {"document_id": "door-twice", "text": INVOICE.format(name="AW-7002")}
    first = httpx.post(f"{documents.door}/documents", json=handed)
    second = httpx.post(f"{documents.door}/documents", json=handed)
    assert (second.status_code, second.json()["state"]) == (200, "already accepted")
    wait_until_stored(documents, first)
    assert len(documents.read("ingest", ["door-twice"])) == 1
    [told] = documents.results(["door-twice"])
    assert told["state"] == "stored"


def test_the_same_document_twice_on_kafka_is_stored_once_and_the_other_is_told_as_deduplicated(
    documents: Documents,
) -> None:
    documents.publish([invoice("twice"), invoice("twice")])
    documents.herd.wait_until(lambda: len(documents.results(["twice"])) == 2, 30)
    assert [told["state"] for told in documents.results(["twice"])] == ["stored", "deduplicated"]
    assert documents.rows(["twice"])["twice"]["state"] == "stored"


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_versions_the_newer_one_stays_whichever_comes_first(documents: Documents, first: int) -> None:
    name, second = f"versions-{first}", 3 - first
    documents.publish([invoice(name, version=first), invoice(name, version=second)])
    documents.herd.wait_until(lambda: len(documents.results([name])) == 2, 30)
    states = {told["version"]: told["state"] for told in documents.results([name])}
    assert states == {2: "stored", 1: "stored" if first == 1 else "superseded"}
    assert documents.rows([name])[name]["version"] == 2
