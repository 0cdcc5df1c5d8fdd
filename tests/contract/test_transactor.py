"""What the real writer does when the client hangs, or nobody knows how a commit ended: on a real Kafka."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from infra.bench import outsider
from infra.local.parts import Endpoints
from shared.core.event import Partition
from shared.core.progress import encode
from shared.kafka import properties, transactions
from shared.kafka.calls import Hung, passes
from shared.kafka.transactions import Transactor
from shared.kafka_port import Fenced, Offset, TakenBack
from tests.contract.kafkas import RealKafka
from tests.contract.test_kafka import at, joined, made, numbers, out

Act = Callable[[Callable[[], Any]], Any]
"""What becomes of a call: it is handed the real one."""


class Troubled(Producer):
    """A producer of which one call goes wrong, once in the test."""

    def __init__(self, told: dict[str, Any], trouble: dict[str, Act]) -> None:
        super().__init__(told)
        self.trouble = trouble

    def send_offsets_to_transaction(self, *arguments: Any) -> Any:
        return self.act("offsets", lambda: super(Troubled, self).send_offsets_to_transaction(*arguments))

    def commit_transaction(self, *arguments: Any) -> Any:
        return self.act("commit", lambda: super(Troubled, self).commit_transaction(*arguments))

    def act(self, step: str, call: Callable[[], Any]) -> Any:
        act = self.trouble.pop(step, None)
        return act(call) if act else call()


@pytest.fixture
def kafka(parts: Endpoints) -> RealKafka:
    return RealKafka(f"transactor_{uuid.uuid4().hex[:8]}", parts.kafka or "", "consumer")


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What hanging calls wait for; they count as hung soon."""
    monkeypatch.setattr(transactions, "HUNG_SECONDS", 2.0)
    event = threading.Event()
    yield event
    event.set()


def troubled(kafka: RealKafka, trouble: dict[str, Act] | None = None, **more: Act) -> Transactor:
    """Its next calls of these kinds go wrong; `trouble` may name others later."""
    trouble = {} if trouble is None else trouble
    trouble |= more
    told = properties.transactional({"bootstrap.servers": kafka.address}, f"{kafka.name}.one")
    writer = Transactor(told, print, client=lambda own: Troubled(own, trouble))
    writer.open()
    return writer


def unknown(call: Callable[[], Any]) -> Any:
    raise KafkaException(KafkaError(KafkaError._STATE))


def test_a_producer_whose_call_hangs_is_left_behind_and_nothing_of_it_is_through(
    kafka: RealKafka, woken: threading.Event
) -> None:
    process = joined(kafka)
    ended = threading.Event()

    def hangs(call: Callable[[], Any]) -> None:
        woken.wait(30)
        try:
            call()
        finally:
            ended.set()

    writer = troubled(kafka, offsets=hangs)
    record, progress = made(kafka, 1, topic="out"), at(kafka, 1)
    assert writer.commit([record], [progress], process.member) == frozenset()
    assert writer.commit([record], [progress], process.member) == {progress}
    # What was left behind wakes up: it was fenced, and changes nothing.
    woken.set()
    assert ended.wait(30)
    assert out(kafka) == numbers(1)
    assert writer.commit([made(kafka, 2, topic="out")], [at(kafka, 2)], process.member)
    assert out(kafka) == numbers(1, 2)
    process.member.close()


@pytest.mark.parametrize("through", [True, False])
def test_how_a_hung_commit_ended_is_asked_of_the_group(kafka: RealKafka, woken: threading.Event, through: bool) -> None:
    def hangs(call: Callable[[], Any]) -> None:
        if through:
            call()
        woken.wait(30)

    process, writer = joined(kafka), troubled(kafka, commit=hangs)
    progress = at(kafka, 1, "1abc")
    found = writer.commit([made(kafka, 1, topic="out")], [progress], process.member)
    assert found == ({progress} if through else frozenset())
    assert out(kafka) == (numbers(1) if through else [])
    process.member.close()


@pytest.mark.parametrize("through", [True, False])
def test_how_a_commit_with_an_unknown_outcome_ended_is_asked_of_the_group(kafka: RealKafka, through: bool) -> None:
    def fails(call: Callable[[], Any]) -> None:
        if through:
            call()
        unknown(call)

    process, writer = joined(kafka), troubled(kafka, commit=fails)
    progress = at(kafka, 1, "1abc")
    found = writer.commit([made(kafka, 1, topic="out")], [progress], process.member)
    assert found == ({progress} if through else frozenset())
    assert out(kafka) == (numbers(1) if through else [])
    assert writer.commit([made(kafka, 2, topic="out")], [at(kafka, 2)], process.member)
    process.member.close()


def test_what_follows_an_aborted_transaction_is_written_record_for_record(kafka: RealKafka) -> None:
    process, trouble, clients = joined(kafka), dict[str, Act](), list[Producer]()

    def client(own: dict[str, Any]) -> Producer:
        clients.append(Troubled(own, trouble))
        return clients[-1]

    writer = Transactor(
        properties.transactional({"bootstrap.servers": kafka.address}, kafka.name), print, client=client
    )
    writer.open()
    written: list[int] = []
    for turn in range(1, 13):
        trouble["offsets"] = unknown
        some = range(turn * 100, turn * 100 + 40)
        records, progress = [made(kafka, number, topic="out") for number in some], at(kafka, turn)
        assert writer.commit(records, [progress], process.member) == frozenset()
        assert writer.commit(records, [progress], process.member) == {progress}, "at once, in the first try"
        written += some
    # A client that goes on after an abort has been seen, one time in three, to be refused for its sequence numbers,
    # and now and then to take for written what the broker had taken for a record of the aborted transaction.
    assert len(set(map(id, clients))) == len(clients) == 13
    assert out(kafka) == numbers(*written)
    process.member.close()


def test_a_commit_that_was_acknowledged_and_never_made_is_found_out_at_the_next_failure(kafka: RealKafka) -> None:
    process, writer = joined(kafka), troubled(kafka, commit=lambda call: None)
    assert writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)
    with pytest.raises(TakenBack):
        writer.commit([made(kafka, 2, topic="out")], [at(kafka, 2)], process.member)
    assert out(kafka) == []
    assert [o.offset for o in process.member.reached([(f"{kafka.name}.in", 0)])] == [-1]
    process.member.close()


@dataclass(frozen=True)
class Remembers:
    """A group of which the broker says that it has committed this; None: nothing can be said while that is open."""

    member: Any
    says: Sequence[Offset] | None

    def reached(self, partitions: Sequence[Partition]) -> Sequence[Offset]:
        if self.says is None:
            raise KafkaException(KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT))
        return [one for one in self.says if (one.topic, one.partition) in partitions]


@pytest.mark.parametrize("undone", [[], [3, 4]])
def test_where_the_broker_has_lost_what_it_acknowledged_nobody_goes_on_from_there(
    kafka: RealKafka, undone: list[int]
) -> None:
    trouble: dict[str, Act] = {}
    process, writer = joined(kafka), troubled(kafka, trouble)
    first, second = at(kafka, 3, encode(3, 5, [3])), at(kafka, 9)
    before = at(kafka, 3, encode(3, 5, undone) if undone else "")
    assert writer.commit([made(kafka, 1, topic="out")], [first], process.member)
    trouble["offsets"] = unknown
    with pytest.raises(TakenBack, match="it was at 3, and is committed at 3 now"):
        writer.commit([made(kafka, 2, topic="out")], [second], Remembers(process.member.member, [before]))
    # Every partition has got an abort's marker behind a record that nobody sees.
    ends = outsider.ends(kafka.address, f"{kafka.name}.out")
    assert all(end >= 2 for end in ends), ends
    assert out(kafka) == numbers(1)
    process.member.close()


def test_what_others_have_done_since_is_not_taken_back_and_what_is_not_known_is_no_reason_to_end(
    kafka: RealKafka,
) -> None:
    trouble: dict[str, Act] = {}
    process, writer = joined(kafka), troubled(kafka, trouble)
    assert writer.commit([made(kafka, 1, topic="out")], [at(kafka, 3, encode(3, 5, [3]))], process.member)
    for says in ([at(kafka, 3, encode(3, 5, [3]))], [at(kafka, 3, encode(3, 7, [3, 6]))], [at(kafka, 8)], None):
        trouble["offsets"] = unknown
        group = Remembers(process.member.member, says)
        assert writer.commit([made(kafka, 2, topic="out")], [at(kafka, 9)], group) == frozenset()
    assert writer.commit([made(kafka, 2, topic="out")], [at(kafka, 9)], process.member)
    assert out(kafka) == numbers(1, 2)
    process.member.close()


def test_after_too_many_were_left_behind_the_process_ends(
    kafka: RealKafka, woken: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "LEFT_BEHIND", 0)
    process, writer = joined(kafka), troubled(kafka, offsets=lambda call: woken.wait(30))
    with pytest.raises(Hung):
        writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)
    process.member.close()


def test_one_that_was_fenced_for_its_age_goes_on(kafka: RealKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    process, writer, other = joined(kafka), troubled(kafka), kafka.writer("one")
    other.open()
    with pytest.raises(Fenced):
        writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)
    # To a transaction older than its timeout the broker does the same as another process would.
    monkeypatch.setattr(transactions, "TRANSACTION_SECONDS", 0.0)
    assert writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member) == frozenset()
    assert writer.commit([made(kafka, 1, topic="out")], [at(kafka, 1)], process.member)
    assert out(kafka) == numbers(1)
    process.member.close()


def test_a_call_is_repeated_only_while_it_may_succeed() -> None:
    assert passes(KafkaError(KafkaError._TIMED_OUT))
    assert passes(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    assert passes(KafkaError(KafkaError._UNKNOWN_PARTITION))
    assert not passes(KafkaError(KafkaError._STATE))
    # A timeout inside a transaction that has failed: repeated, it would be told for as long as one listens.
    assert not passes(KafkaError(KafkaError._TIMED_OUT, "", False, True, True))
    assert not passes(KafkaError(KafkaError._TIMED_OUT, "", True))
