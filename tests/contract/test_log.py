"""A topic as all know it: read whole, then followed, the same on Kafka and in memory."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest

from infra.local.parts import Endpoints
from shared.kafka.admin import FADING, TopicPlan, ensure
from shared.kafka.log import KafkaLog, write
from shared.kafka_port import Log, Record
from shared.memory.kafka import MemoryKafka
from shared.memory.log import MemoryLog

Opened = tuple[Callable[[], Log], Callable[[bytes, bytes | None], None]]
"""Opens another reader of the topic, and writes to it."""
DEADLINE = 20.0


@pytest.fixture(params=["memory", "kafka"])
def log(request: pytest.FixtureRequest) -> Opened:
    name = f"words_{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        memory = MemoryKafka({name: 1})
        return lambda: MemoryLog(memory, name), lambda key, value: memory.publish(Record(name, key, value, (), None))
    parts: Endpoints = request.getfixturevalue("parts")
    kafka = {"bootstrap.servers": parts.kafka}
    ensure(kafka, [TopicPlan(name, 1, FADING)])
    return lambda: KafkaLog(kafka, name), lambda key, value: write(kafka, name, key, value)


def read(log: Log, until: Callable[[list[tuple[bytes, bytes | None]]], bool]) -> list[tuple[bytes, bytes | None]]:
    found: list[tuple[bytes, bytes | None]] = []
    deadline = time.monotonic() + DEADLINE
    while not until(found):
        found += log.poll(0.2)
        assert time.monotonic() < deadline, f"only {found}"
    return found


def test_what_was_there_before_is_given_before_it_is_called_whole(log: Opened) -> None:
    opens, write_to = log
    words: list[tuple[bytes, bytes | None]] = [(b"a", b"1"), (b"b", b"2"), (b"a", None), (b"b", b"3")]
    for key, value in words:
        write_to(key, value)
    reader = opens()
    assert not reader.whole
    assert read(reader, lambda _: reader.whole) == words
    reader.close()


def test_the_rest_is_what_came_since_and_begins_anew_where_it_was(parts: Endpoints) -> None:
    kafka, name = {"bootstrap.servers": parts.kafka}, f"words_{uuid.uuid4().hex[:8]}"
    ensure(kafka, [TopicPlan(name, 1, FADING)])
    log = KafkaLog(kafka, name)
    assert log.rest(DEADLINE) == []
    for words in ([(b"a", b"1"), (b"b", None)], [(b"c", b"3")], []):
        for key, value in words:
            write(kafka, name, key, value)
        assert log.rest(DEADLINE) == words


def test_what_comes_later_is_given_once_to_each_reader(log: Opened) -> None:
    opens, write_to = log
    readers = [opens(), opens()]
    for reader in readers:
        assert read(reader, lambda _, reader=reader: reader.whole) == []
    write_to(b"a", b"1")
    for reader in readers:
        assert read(reader, len) == [(b"a", b"1")]
    write_to(b"a", b"2")
    for reader in readers:
        assert read(reader, len) == [(b"a", b"2")]
        assert reader.poll(0) == []
        reader.close()


def test_a_reader_that_waits_hears_at_once(log: Opened) -> None:
    opens, write_to = log
    reader = opens()
    read(reader, lambda _: reader.whole)
    write_to(b"a", b"1")
    began = time.monotonic()
    while not reader.poll(60):
        assert time.monotonic() - began < 5, "it waited for something else"
    assert time.monotonic() - began < 5
    reader.close()
