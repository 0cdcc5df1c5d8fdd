"""A supervisor that is killed leaves nothing behind, and what was stored is there at the next start."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local import Endpoints, Plan, Service, down, ps, start_parts, up
from tests.infra.waiting import members_of_group, processes_of, wait_until

SLEEPER = Service("sleeper", ("sleep", "600"), 2)


def write(endpoints: Endpoints, word: str) -> None:
    """Put a word into Kafka and PostgreSQL."""
    admin = AdminClient({"bootstrap.servers": endpoints.kafka or ""})
    if "words" not in admin.list_topics(timeout=10).topics:
        admin.create_topics([NewTopic("words", 1, 1)])["words"].result(20)
    producer = Producer({"bootstrap.servers": endpoints.kafka or "", "acks": "all"})
    producer.produce("words", word.encode())
    assert producer.flush(20) == 0
    with psycopg.connect(endpoints.database or "") as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", [word])


def read(endpoints: Endpoints) -> tuple[list[str], list[str]]:
    """Give the words found in Kafka and in PostgreSQL."""
    settings = {"bootstrap.servers": endpoints.kafka or "", "group.id": "reader", "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.partition.eof": True, "enable.auto.commit": False})
    consumer.subscribe(["words"])
    in_kafka: list[str] = []
    while message := consumer.poll(20):
        if message.error():
            break
        in_kafka.append((message.value() or b"").decode())
    consumer.close()
    with psycopg.connect(endpoints.database or "") as connection:
        return in_kafka, [row[0] for row in connection.execute("select word from words order by word")]


def test_a_killed_supervisor_leaves_nothing_and_the_next_up_finds_the_data(home: Path) -> None:
    plan = Plan(services=(SLEEPER,))
    first = up(plan, home, detach=True)
    assert first.supervisor is not None
    write(first.endpoints, "a: before the kill")
    os.kill(first.supervisor, signal.SIGKILL)
    wait_until(lambda: processes_of(home) == [], seconds=20)

    second = up(plan, home, detach=True)
    assert second.started
    assert second.endpoints == first.endpoints
    write(second.endpoints, "b: after it")
    assert read(second.endpoints) == (["a: before the kill", "b: after it"],) * 2
    down(home)
    assert processes_of(home) == []

    third = up(plan, home, detach=True)
    assert read(third.endpoints)[1] == ["a: before the kill", "b: after it"]


def test_processes_whose_leash_was_cut_are_ended_by_the_next_up(home: Path) -> None:
    plan = Plan(frozenset(), (SLEEPER,))
    status = up(plan, home, detach=True)
    assert status.supervisor is not None
    services = [process.pid for process in status.processes if process.pid]
    wait_until(lambda: [len(members_of_group(leader)) for leader in services] == [2, 2])
    for watcher in (pid for leader in services for pid in members_of_group(leader) if pid != leader):
        os.kill(watcher, signal.SIGKILL)
    os.kill(status.supervisor, signal.SIGKILL)
    wait_until(lambda: ps(home) == [])
    # A process that was sent SIGKILL may be seen for a moment longer.
    wait_until(lambda: [members_of_group(leader) for leader in services] == [[leader] for leader in services])

    lines: list[str] = []
    assert up(plan, home, detach=True, report=lines.append).started
    assert [members_of_group(leader) for leader in services] == [[], []]
    assert sum("left behind by a supervisor that was killed" in line for line in lines) == 2


def test_a_part_that_is_killed_is_started_again_at_its_address(home: Path) -> None:
    status = up(Plan(frozenset({"redis"})), home, detach=True)
    before = status.processes[0]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: ps(home)[0].restarts == 1 and ps(home)[0].state == "running")
    assert up(Plan(frozenset({"redis"})), home, detach=True).endpoints == status.endpoints


def test_a_second_kafka_runs_beside_the_first_and_can_be_given_as_external(parts: Endpoints, home: Path) -> None:
    second = start_parts(home, {"kafka"})
    try:
        assert second.endpoints.kafka not in (None, parts.kafka)
        assert second.endpoints.redis is None
        assert AdminClient({"bootstrap.servers": second.endpoints.kafka or ""}).list_topics(timeout=10).topics == {}
    finally:
        second.stop()
    assert processes_of(home) == []
