"""A second pipeline beside `documents` on the same Kafka: its own outcomes, and no name in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from infra.bench import outsider
from shared.kafka.admin import ensure, plan
from tests.pipeline.live.installation import SERVICES, Documents
from tests.pipeline.live.texts import letter
from tests.pipeline.tiny.pipeline import TICKETS

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
CLOSED = outsider.load(Path("tests/pipeline/tiny/TicketClosed.avsc"))
SUBJECTS = {
    "t-plain": "how do I print",
    "t-urgent": "urgent: it burns",
    "t-spam": "spam",
    "t-busy": "busy line",
    "t-doubtful": "doubtful",
    "both": "how do I print",
}
VALUES = {
    name: outsider.encoded(OPENED, {"document_id": name, "subject": subject, "opened_at": 0})
    for name, subject in SUBJECTS.items()
}
ANSWERS = {
    "t-plain": "how do I print: in time",
    "t-urgent": "urgent: it burns: at once",
    "t-busy": "busy line: in time",
    "both": "how do I print: in time",
}


@pytest.fixture(scope="module")
def beside(documents: Documents) -> Iterator[Documents]:
    """Both pipelines running, and both have done their work; the document `both` is in each of them."""
    kafka = documents.kafka
    ensure({"bootstrap.servers": kafka}, plan(TICKETS))
    services = [documents.herd.start("tests.pipeline.tiny", stage, TINY_PIPELINE="tickets") for stage in STAGES]
    outsider.publish(kafka, "tickets.ingest", VALUES.items())
    documents.publish([letter("both"), letter("d-1")])
    documents.wait_until_stored(["both", "d-1"])
    documents.herd.wait_until(lambda: len(tickets(documents, "results")) >= len(ANSWERS), 30)
    yield documents
    for service in services:
        service.terminate()
        assert service.wait(20) == 0, documents.herd.log()


STAGES = [stage.name for stage in TICKETS.stages]


def tickets(documents: Documents, topic: str) -> list[outsider.Record]:
    """The records of a topic of the second pipeline."""
    return outsider.read(documents.kafka, f"tickets.{topic}")


def test_a_ticket_is_closed_once_also_where_nobody_had_time_at_first(beside: Documents) -> None:
    closed = [outsider.decoded(CLOSED, value) for _, value, _ in tickets(beside, "results")]
    assert sorted((one["document_id"], one["answer"]) for one in closed) == sorted(ANSWERS.items())
    [(key, value, headers)] = tickets(beside, "triage.retry.1s")
    assert (key, value) == (b"t-busy", VALUES["t-busy"])
    assert (headers["penstock-failure"], headers["penstock-attempts"]) == (b"overloaded", b"1")


def test_spam_is_a_dead_letter_and_what_is_doubtful_waits_for_a_person(beside: Documents) -> None:
    [(key, value, headers)] = tickets(beside, "triage.dlq")
    assert (key, value, headers["penstock-failure"]) == (b"t-spam", VALUES["t-spam"], b"unsupported")
    [(key, _, headers)] = tickets(beside, "review")
    assert (key, headers["penstock-stage"]) == (b"t-doubtful", b"triage")
    assert headers["penstock-message"] == b"is this a ticket at all?"


def test_a_document_of_the_same_name_in_both_ends_in_each_of_them(beside: Documents) -> None:
    assert [told["document_type"] for told in beside.results(["both"])] == ["letter"]
    assert [key for key, _, _ in tickets(beside, "results")].count(b"both") == 1


def test_each_has_topics_groups_and_transactional_ids_of_its_own(beside: Documents) -> None:
    admin = AdminClient({"bootstrap.servers": beside.kafka})
    groups = {group.group_id for group in admin.list_consumer_groups().result(10).valid}
    assert {f"tickets.{stage}" for stage in STAGES} <= groups
    assert {f"documents.{service}" for service in SERVICES if service != "ingest"} <= groups
    assert {name.partition(".")[0] for name in groups - {"outsider"}} == {"tickets", "documents"}
    owners: dict[str, set[str]] = {}
    for identity in transactional_ids(beside.kafka):
        pipeline, stage, instance = identity.split(".")
        owners.setdefault(pipeline, set()).add(stage)
        assert instance.startswith(f"{stage}-")
    assert owners["tickets"] == set(STAGES)
    assert owners["documents"] == set(SERVICES) - {"ingest"}
    topics = {name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")}
    assert {name.partition(".")[0] for name in topics} == {"tickets", "documents", "penstock"}


def transactional_ids(kafka: str) -> set[str]:
    """Every identity under which anybody has written in transactions, as the broker has noted it."""
    # The key of such a note: two bytes version, two bytes length, the id.
    return {key[4:].decode() for key, _, _ in outsider.read(kafka, "__transaction_state")}
