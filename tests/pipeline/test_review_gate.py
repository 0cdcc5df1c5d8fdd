"""A doubtful document waits for a person, and goes on or ends as the person decides."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.pipeline.live.installation import Documents
from tests.pipeline.live.texts import fields_of, invoice

Penstock = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def doubtful(documents: Documents) -> list[str]:
    """Two invoices of which the model has invented the fields, waiting, and one that it read well, stored."""
    with documents.fault(fault="ungrounded", match="Invoice number: doubt-"):
        documents.publish([invoice("doubt-1"), invoice("clear-1"), invoice("doubt-2")])
        documents.wait_until_stored(["clear-1"])
        documents.herd.wait_until(lambda: len(documents.reviews(["doubt-1", "doubt-2"])) == 2, 30)
    return ["doubt-1", "doubt-2"]


def test_an_invented_answer_waits_for_a_person_with_the_reason_and_is_not_stored(
    documents: Documents, doubtful: list[str]
) -> None:
    assert not documents.rows(doubtful)
    for review in documents.reviews(doubtful).values():
        assert (review["stage"], review["failure"], review["decision"]) == ("validate", "ungrounded", "")
        assert "invented" in review["reason"]
    assert len(documents.read("review", doubtful)) == 2


def test_an_approved_document_goes_on_with_what_was_proposed_and_no_model_is_asked_again(
    documents: Documents, doubtful: list[str], penstock: Penstock
) -> None:
    name, before = doubtful[0], documents.asked("sim-large")
    [review] = [one for one in penstock("review", "list") if one["document_id"] == name]
    [decided] = penstock("review", "decide", review["review_id"], "approve", "--by", "robin")
    assert (decided["decision"], decided["decided_by"]) == ("approve", "robin")
    row = documents.wait_until_stored([name])[name]
    assert row["state"] == "stored"
    assert row["fields"].keys() == fields_of(name).keys()
    assert all(value.startswith("invented ") for value in row["fields"].values())
    assert documents.asked("sim-large") == before


def test_a_rejected_document_ends_as_rejected_with_the_reason_in_table_and_topic(
    documents: Documents, doubtful: list[str], penstock: Penstock
) -> None:
    name = doubtful[1]
    [review] = [one for one in penstock("review", "list") if one["document_id"] == name]
    penstock("review", "decide", review["review_id"], "reject", "--note", "the sum is wrong")
    row = documents.wait_until_stored([name])[name]
    [told] = documents.results([name])
    assert (row["state"], row["reason"]) == (told["state"], told["reason"]) == ("rejected", "the sum is wrong")
    assert not documents.read("store", [name])


def test_what_has_been_decided_waits_no_more(documents: Documents, doubtful: list[str], penstock: Penstock) -> None:
    assert {review["decision"] for review in documents.reviews(doubtful).values()} == {"approve", "reject"}
    assert not [one for one in penstock("review", "list") if one["document_id"] in doubtful]
