"""What a record has been through survives its headers; what others write there harms nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import headers
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History, failed_again, foreign, history_of
from tests.unit.records import NOW, TOPIC, delivery

HISTORY = History("triage", Failure.TIMEOUT, "no answer", 2, NOW, NOW + timedelta(seconds=5), Position(TOPIC, 1, 42))


def test_a_history_comes_back_as_it_was() -> None:
    assert history_of(HISTORY.to_headers()) == HISTORY


def test_a_record_without_our_headers_is_at_its_first_attempt_and_where_it_began() -> None:
    record = delivery(7, headers=(("traceparent", b"00-abc"),))
    assert (record.history, record.attempt, record.origin) == (None, 1, record.position)


def test_a_record_that_failed_knows_its_attempt_and_its_origin() -> None:
    record = delivery(7, headers=HISTORY.to_headers())
    assert (record.attempt, record.origin) == (3, HISTORY.origin)


def test_a_second_failure_keeps_where_and_when_it_began() -> None:
    second = replace(HISTORY, attempts=3, first_failed_at=NOW + timedelta(hours=1), origin=Position("x", 0, 0))
    assert failed_again(HISTORY, second) == replace(second, first_failed_at=NOW, origin=HISTORY.origin)
    assert failed_again(None, second) == second


def test_the_history_of_another_stage_ends_at_its_door() -> None:
    elsewhere = replace(HISTORY, stage="close")
    assert failed_again(elsewhere, HISTORY) == HISTORY


def test_the_senders_headers_are_kept_in_their_order_and_ours_left_out() -> None:
    sent = (("b", b"1"), ("a", b"2"), ("b", b"3"))
    assert foreign((*sent[:1], *HISTORY.to_headers(), *sent[1:])) == sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (headers.ATTEMPTS, b"many"),
        (headers.ATTEMPTS, b"-3"),
        (headers.ATTEMPTS, b"9" * 5000),
        (headers.FAILURE, b"made_up"),
        (headers.ORIGIN, b"nowhere"),
        (headers.FAILED_AT, b"yesterday"),
        (headers.FAILED_AT, b"0001-01-01T00:00:00+23:59"),
        (headers.FIRST_FAILED_AT, b"9999-12-31T23:59:59-23:59"),
        (headers.STAGE, b"\xff"),
    ],
)
def test_a_forged_header_makes_no_history(name: str, value: bytes) -> None:
    forged = tuple((n, value if n == name else v) for n, v in HISTORY.to_headers())
    assert history_of(forged) is None


@given(st.lists(st.tuples(st.sampled_from([n for n, _ in HISTORY.to_headers()]), st.binary(max_size=40))))
def test_no_header_at_all_can_make_an_error(forged: list[tuple[str, bytes]]) -> None:
    merged = tuple((dict(HISTORY.to_headers()) | dict(forged)).items())
    found = history_of(merged)
    assert found is None or found.attempts > 0


def test_a_message_of_any_length_and_content_becomes_a_header_that_a_topic_takes() -> None:
    long = replace(HISTORY, message="\udcff" + "x" * 3_000_000)
    found = history_of(long.to_headers())
    assert found is not None
    assert found.message.startswith("\\udcffx")
    assert len(found.message) < 2 * headers.MESSAGE_CHARACTERS
