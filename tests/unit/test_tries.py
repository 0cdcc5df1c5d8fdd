"""What a dead letter looks back on: every attempt with its calls, and the chain of causes; never too large to keep."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import Call
from shared.core.errors import Failed
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import TRIES, History, failed_again, foreign, history_of, kept
from shared.core.outcome import DeadLetter
from shared.core.reentry import Reentry, reentry_of
from shared.core.settle import Place, settle
from shared.core.tries import BYTES, MOST, Try, causes_of, chain_of, tries_of, tries_to_text
from shared.runtime.flow.layers import outcome_of
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, ticket

CALL = Call("qa", "sim", "sim-large", "qa@1", 812, 60, 0.002104, 310, "refusal")
TRY = Try(1, NOW, "refusal", "no answer", (CALL,))


def test_attempts_come_back_with_their_calls() -> None:
    tries = (TRY, replace(TRY, number=2, at=NOW + timedelta(seconds=5), calls=(CALL, CALL)))
    assert tries_of(tries_to_text(tries)) == tries


def test_only_the_last_attempts_are_kept_and_the_oldest_give_up_their_calls_first() -> None:
    many = tuple(replace(TRY, number=n, calls=(CALL,) * 30) for n in range(1, 40))
    text = tries_to_text(many)
    found = tries_of(text)
    assert len(text) <= BYTES
    assert [one.number for one in found] == list(range(40 - MOST, 40))
    assert (len(found[0].calls), len(found[-1].calls)) == (0, 30)


@given(st.text())
def test_what_nobody_of_us_wrote_is_no_attempt(text: str) -> None:
    assert isinstance(tries_of(text), tuple)
    assert isinstance(causes_of(text), tuple)


def test_a_second_failure_adds_its_attempt_to_the_first_one() -> None:
    first = History("triage", Failure.REFUSAL, "no", 1, NOW, NOW, Position(TOPIC, 0, 0), (TRY,), ("OSError: gone",))
    again = History("triage", Failure.REFUSAL, "no", 2, NOW, NOW, Position(TOPIC, 0, 0), (replace(TRY, number=2),))
    history = failed_again(history_of(first.to_headers()), again)
    assert [one.number for one in history.tries] == [1, 2]
    assert history.causes == ()
    assert history_of(first.to_headers()) == first


def test_a_forged_header_of_attempts_leaves_the_history_readable() -> None:
    history = History("triage", Failure.REFUSAL, "no", 1, NOW, NOW, Position(TOPIC, 0, 0))
    found = history_of((*history.to_headers(), (TRIES, b'[{"number": "x"}]')))
    assert found == history


class Asked(Failed):
    """An error that knows its calls, as the model layer's does."""

    calls = (CALL,)


def test_an_error_leaves_its_calls_and_its_causes_in_the_dead_letter() -> None:
    try:
        try:
            raise OSError("the socket was reset")
        except OSError as cause:
            raise Asked(Failure.CONTENT_POLICY, "refused by policy") from cause
    except Asked as error:
        outcome = outcome_of(error)
    assert isinstance(outcome, DeadLetter)
    [write] = settle(Place(TICKETS, TRIAGE), delivery(3), ticket(), outcome, NOW).writes
    history = history_of(write.headers)
    assert history is not None
    assert [(one.number, one.failure, one.calls) for one in history.tries] == [(1, "content_policy", (CALL,))]
    assert history.causes == ("OSError: the socket was reset",)


def test_a_chain_of_causes_that_bites_its_tail_ends() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert chain_of(one) == ("ValueError: b",)


def test_a_replay_stays_with_its_record_while_it_is_at_the_stage() -> None:
    reentry = Reentry(Position("t.triage.dlq", 1, 7), "r1", 2, "sim-small", "qa@2")
    record = delivery(3, headers=(("theirs", b"x"), *reentry.to_headers()))
    assert record.reentry == reentry
    [write] = settle(Place(TICKETS, TRIAGE), record, ticket(), DeadLetter(Failure.CORRUPT, "again"), NOW).writes
    assert reentry_of(write.headers) == reentry
    assert kept(record.headers) == record.headers
    assert foreign(record.headers) == (("theirs", b"x"),)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_forged_headers_of_a_replay_make_no_error(letter: bytes, number: bytes) -> None:
    found = reentry_of((("penstock-replayed", letter), ("penstock-replays", number)))
    assert found is None or found.number >= 1


def test_times_are_utc() -> None:
    [found] = tries_of(tries_to_text([replace(TRY, at=datetime(2026, 3, 1, tzinfo=UTC))]))
    assert found.at.tzinfo is UTC
