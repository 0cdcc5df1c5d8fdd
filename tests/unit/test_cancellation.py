"""Which events fall under an operator's word, and what a record of the topic may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import DocumentSubmitted
from shared.core.cancellation import BATCH, DOCUMENT, EPOCH, Cancellation, Cancellations
from tests.unit.records import NOW, ticket

LATER = timedelta(minutes=1)


def of_document(name: str = "d1", version: int = 1) -> Cancellation:
    return Cancellation(kind=DOCUMENT, name=name, by="ada", reason="wrong customer", at=NOW, version=version)


def of_batch(name: str = "b1", until: datetime = NOW) -> Cancellation:
    return Cancellation(kind=BATCH, name=name, by="ada", reason="wrong customer", at=NOW, until=until)


def submitted(
    document_id: str = "d1", version: int = 1, batch_id: str = "", submitted_at: datetime = NOW
) -> DocumentSubmitted:
    return DocumentSubmitted(
        document_id=document_id, content=b"x", version=version, batch_id=batch_id, submitted_at=submitted_at
    )


def knowing(*words: Cancellation) -> Cancellations:
    known = Cancellations()
    for word in words:
        known.learn(word.key, word.to_json())
    return known


def test_a_document_is_cancelled_up_to_the_version_that_was_known_and_a_newer_one_flows() -> None:
    known = knowing(of_document(version=3))
    assert known.of(submitted(version=1)) == known.of(submitted(version=3)) == of_document(version=3)
    assert known.of(submitted(version=4)) is None
    assert known.of(submitted("d2")) is None


def test_a_batch_is_cancelled_as_far_as_it_had_been_submitted() -> None:
    known = knowing(of_batch())
    assert known.of(submitted(batch_id="b1")) == of_batch()
    assert known.of(submitted(batch_id="b1", submitted_at=NOW + LATER)) is None
    assert known.of(submitted(batch_id="b2")) is None
    assert known.of(submitted(batch_id="")) is None


def test_a_submission_whose_sender_did_not_say_when_was_made_before_every_word() -> None:
    assert knowing(of_batch()).of(submitted(batch_id="b1", submitted_at=EPOCH)) is not None


def test_an_event_that_knows_of_no_batch_and_no_version_is_cancelled_by_its_id_alone() -> None:
    assert knowing(of_batch("t1")).of(ticket(document_id="t1")) is None
    assert knowing(of_document("t1")).of(ticket(document_id="t1")) is not None


def test_a_later_word_takes_the_place_of_an_earlier_one_and_none_takes_it_back() -> None:
    known = knowing(of_document(version=1), of_document(version=2), of_batch())
    assert known.find(DOCUMENT, "d1") == of_document(version=2)
    assert len(known) == 2
    known.learn(b"batch/b1", None)
    known.learn(b"document/nobody", None)
    assert known.find(BATCH, "b1") is None
    assert not known.of(submitted("d9", batch_id="b1"))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"kind": "tenant", "name": "d1"}',
        of_document("").to_json(),
        of_document("somebody else").to_json(),
        of_document().to_json().replace(b'"version": 1', b'"version": "many"'),
        of_document().to_json().replace(b"+00:00", b""),
    ],
)
def test_a_record_that_nobody_of_us_wrote_cancels_nothing(value: bytes) -> None:
    known = Cancellations()
    known.learn(b"document/d1", value)
    assert not len(known)


@given(st.text(min_size=1), st.text(), st.text(), st.integers(0, 2**62), st.datetimes(timezones=st.just(UTC)))
def test_a_word_is_read_as_it_was_written(name: str, by: str, reason: str, version: int, at: datetime) -> None:
    word = Cancellation(kind=DOCUMENT, name=name, by=by, reason=reason, at=at, version=version, until=at)
    assert Cancellation.from_json(word.to_json()) == word
