"""`kill -9` under paid calls: what was recorded is never paid again, and what was in flight is reported."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from tests.pipeline.tiny.pipeline import TICKETS

DOCUMENTS = 400
KILLS = 3
SCHEMA = outsider.load(Path("tests/pipeline/tiny/TicketTriaged.avsc"))


@pytest.fixture
def pipeline(parts: Endpoints) -> str:
    """A tiny pipeline with topics of its own."""
    assert parts.database
    migrate(parts.database)
    name = f"paying_{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    return name


def triaged(count: int) -> list[tuple[str, bytes]]:
    """Tickets as `close` takes them."""
    rest = {"subject": "a question", "urgent": False, "due_at": None}
    return [(f"t{i}", outsider.encoded(SCHEMA, {"document_id": f"t{i}", **rest})) for i in range(count)]


class Bill:
    """What the processes noted, in the order in which it happened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[tuple[str, str, int]]:
        """What, document, process."""
        text = self._path.read_text() if self._path.exists() else ""
        return [(what, document, int(pid)) for what, document, pid in map(str.split, text.splitlines())]

    def count(self, what: str) -> int:
        """Lines of a kind."""
        return sum(kind == what for kind, _, _ in self.lines())

    def open_of(self, pid: int) -> set[str]:
        """Documents whose call a process had made and not recorded."""
        mine = [(what, document) for what, document, who in self.lines() if who == pid]
        recorded = {document for what, document in mine if what == "recorded"}
        return {document for what, document in mine if what == "call"} - recorded

    def repeated_after_record(self) -> list[str]:
        """Documents that were paid for once more although their result was recorded."""
        recorded, found = set(), []
        for what, document, _ in self.lines():
            if what == "recorded":
                recorded.add(document)
            elif document in recorded:
                found.append(document)
        return found


def told(log: str) -> list[dict[str, Any]]:
    """The lines of a log that are no other program's."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_a_killed_process_pays_nothing_again_that_was_recorded_and_reports_the_rest(
    parts: Endpoints, pipeline: str, tmp_path: Path
) -> None:
    outsider.publish(parts.kafka, f"{pipeline}.close", triaged(DOCUMENTS))
    bill = Bill(tmp_path / "bill")

    def done() -> int:
        return len(outsider.read(parts.kafka, f"{pipeline}.results"))

    in_flight: Counter[str] = Counter()
    with Herd(
        parts,
        tmp_path,
        TINY_PIPELINE=pipeline,
        PAYING_BILL=str(tmp_path / "bill"),
        PENSTOCK_HOME=str(tmp_path / "home"),
    ) as herd:
        running = [herd.start("tests.chaos.paying") for _ in range(2)]
        for kill in range(KILLS):
            goal = DOCUMENTS * (kill + 1) // (KILLS + 1)
            # In the middle of calls, and in the middle of handlers whose call is recorded.
            herd.wait_until(lambda goal=goal: bill.count("recorded") >= goal, 90, lambda: str(bill.lines()[-3:]))
            victim = running[kill % 2]
            victim.kill()
            victim.wait()
            in_flight.update(bill.open_of(victim.pid))
            running[kill % 2] = herd.start("tests.chaos.paying")
        herd.wait_until(lambda: done() >= DOCUMENTS, 120, lambda: f"{done()} results")
        log = herd.log_whole()
    calls = Counter(document for what, document, _ in bill.lines() if what == "call")
    repeats = calls - Counter(dict.fromkeys(calls, 1))
    assert len(calls) == DOCUMENTS
    assert bill.repeated_after_record() == []
    assert not repeats - in_flight, "repeated without having been in flight at a kill"
    recorded = Counter(document for what, document, _ in bill.lines() if what == "recorded")
    assert any(times > 1 for times in recorded.values()), "no kill met a handler between its record and its commit"
    reported = Counter(line["document_id"] for line in told(log) if line["event"] == "call repeated")
    assert not repeats - reported, "repeated without a word"
    assert parts.database
    with psycopg.connect(parts.database) as connection:
        rows = connection.execute("select document_id, repeats from calls where pipeline = %s", [pipeline]).fetchall()
        states = connection.execute("select distinct state from calls where pipeline = %s", [pipeline]).fetchall()
    # A kill between the note and the word leaves the note alone: the table knows of more, never of less.
    assert not reported - Counter(dict(rows)), "reported, and not in the table"
    assert states == [("accepted",)]
    results = Counter(key for key, _, _ in outsider.read(parts.kafka, f"{pipeline}.results"))
    assert set(results.values()) == {1}


def test_paid_calls_go_on_without_postgresql_and_are_in_its_table_afterwards(
    parts: Endpoints, pipeline: str, tmp_path: Path
) -> None:
    """A process without PostgreSQL leaves its spool, and the next one of the slot finds what is paid in it."""
    outsider.publish(parts.kafka, f"{pipeline}.close", triaged(60))
    bill, nowhere = Bill(tmp_path / "bill"), "postgresql://nobody@127.0.0.1:9/nothing"
    with Herd(
        parts,
        tmp_path,
        TINY_PIPELINE=pipeline,
        PAYING_BILL=str(tmp_path / "bill"),
        PENSTOCK_HOME=str(tmp_path / "home"),
    ) as herd:
        first = herd.start("tests.chaos.paying", PENSTOCK_DATABASE_URL=nowhere, PAYING_SECONDS="2")
        herd.wait_until(lambda: bill.count("recorded") >= 60, 60, lambda: str(bill.lines()[-3:]))
        first.kill()
        first.wait()
        herd.start("tests.chaos.paying")
        herd.wait_until(lambda: len(outsider.read(parts.kafka, f"{pipeline}.results")) >= 60, 60)
        assert parts.database
        with psycopg.connect(parts.database, autocommit=True) as connection:
            count = "select count(*) from calls where pipeline = %s and state = 'accepted'"
            herd.wait_until(lambda: connection.execute(count, [pipeline]).fetchone() == (60,), 30)
    assert bill.repeated_after_record() == []
    assert bill.count("call") == 60
