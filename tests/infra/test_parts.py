"""The embedded parts against real clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.parts import Endpoints, start_parts
from infra.local.processes import LocalError
from tests.infra.waiting import members_of_group, wait_until


def test_kafka_creates_a_topic_and_takes_a_large_record(parts: Endpoints) -> None:
    topic = f"large-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": parts.kafka or ""})
    created = admin.create_topics([NewTopic(topic, 12, 1, config={"max.message.bytes": "2200000"})])
    created[topic].result(20)
    errors: list[object] = []
    producer = Producer({"bootstrap.servers": parts.kafka or "", "message.max.bytes": 4_000_000})
    producer.produce(topic, b"x" * 2_100_000, b"key", on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(20) == 0
    assert errors == [None]


def test_redis_runs_scripts_and_keeps_values(parts: Endpoints) -> None:
    with redis.Redis.from_url(parts.redis or "") as client:
        key = str(uuid.uuid4())
        assert client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, key, "7") in (b"OK", "OK")
        assert client.get(key) == b"7"
        assert client.config_get("appendonly")["appendonly"] == "yes"


def test_postgres_is_version_18_speaks_utf_8_and_refuses_a_wrong_password(parts: Endpoints) -> None:
    with psycopg.connect(parts.database or "") as connection:
        assert connection.info.server_version // 10_000 == 18
        assert connection.info.encoding == "utf-8"
        row = connection.execute("select lower('ÄÖ'), current_setting('listen_addresses')").fetchone()
        assert row is not None
        assert row[1] == "127.0.0.1"
    if "PENSTOCK_DATABASE_URL" not in os.environ:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(parts.database or "", password="wrong")


def test_postgres_runs_for_a_closed_state_folder_without_opening_any(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = [folder.stat().st_mode for folder in (closed, *closed.parents)]
    try:
        running = start_parts(closed, {"postgres"})
        try:
            with psycopg.connect(running.endpoints.database or "") as connection:
                assert connection.execute("select 1").fetchone() == (1,)
        finally:
            running.stop()
        assert [folder.stat().st_mode for folder in (closed, *closed.parents)] == before
        assert os.stat(closed).st_uid == os.geteuid()
    finally:
        # Where the tests run as root the data lies outside, in the place that is recorded.
        if (closed / "postgres.json").exists():
            shutil.rmtree(json.loads((closed / "postgres.json").read_text())["folder"])


def test_an_unknown_part_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="no such part: zookeeper; there are kafka, postgres, redis"):
        start_parts(tmp_path, {"zookeeper"})


def test_stopped_means_that_the_watchers_of_the_leashes_are_gone_too(home: Path) -> None:
    running = start_parts(home, {"redis"})
    leader = running.children["redis"].pid
    (watcher,) = [pid for pid in members_of_group(leader) if pid != leader]
    os.kill(watcher, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            left_at_return = pool.submit(lambda: (running.stop(), members_of_group(leader))[1])
            wait_until(lambda: members_of_group(leader) == [watcher])
            too_early = wait([left_at_return], timeout=0.3).done
            os.kill(watcher, signal.SIGCONT)
            assert left_at_return.result(10) == []
            assert not too_early
    finally:
        with suppress(ProcessLookupError):
            os.kill(watcher, signal.SIGCONT)
