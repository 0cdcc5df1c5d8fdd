"""Records are deleted as fast as they are done with while everybody is killed: nothing is lost, nothing doubled."""

import asyncio
import os
import random
import uuid
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.cli.session import open_session
from shared.cli.verbs.audit import audited
from shared.core.conservation.verdict import Question, Verdict
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.kafka.reading import Reader
from tests.chaos.test_kill_nine import FULL, SCHEMA

DOCUMENTS = 20_000 if FULL else 2000
KILLS = 25 if FULL else 5
SPAM = 30
"""The last documents are given up, and nobody acts on it: what stands behind them stays."""
AT_ONCE = {"PENSTOCK_JANITOR__KEEP_DAYS": "0", "PENSTOCK_JANITOR__EVERY_SECONDS": "0.1"}


def ticket(number: int) -> tuple[str, bytes]:
    """One of seven is tried twice."""
    subject = "spam" if number >= DOCUMENTS - SPAM else "busy" if number % 7 == 0 else "a question"
    name = f"t{number}"
    return name, outsider.encoded(SCHEMA, {"document_id": name, "opened_at": 0, "subject": subject})


def test_a_janitor_in_a_tight_loop_takes_nothing_from_stages_that_are_killed(
    parts: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, dice = f"tickets_{uuid.uuid4().hex[:8]}", random.Random(5)
    settings = {"PENSTOCK_PIPELINE": f"tests.pipeline.tiny.named:{name}"} | AT_ONCE
    migrate(parts.database or "")
    with Herd(parts, tmp_path, TINY_PIPELINE=name, TINY_SECONDS="0.2", **settings) as herd:
        for setting, value in herd.settings.items():
            monkeypatch.setitem(os.environ, setting, value)
        session = open_session()
        ensure(session.kafka, plan(session.pipeline))
        results = f"{name}.results"
        commands = [
            *[("tests.pipeline.tiny", stage) for stage in ("triage", "triage", "close", "close")],
            ("services.journal",),
            ("tests.chaos.sweeping",),
            ("tests.chaos.sweeping",),
        ]
        running = [herd.start(*command) for command in commands]

        def done() -> int:
            return outsider.end(parts.kafka or "", results)

        def reached(goal: int) -> bool:
            return done() >= goal

        for kill in range(KILLS):
            share = DOCUMENTS // KILLS
            outsider.publish(parts.kafka or "", f"{name}.ingest", map(ticket, range(kill * share, (kill + 1) * share)))
            herd.wait_until(partial(reached, share * kill + share // 2), 120, lambda: f"{done()} results")
            victim = dice.randrange(len(running))
            running[victim].kill()
            running[victim] = herd.start(*commands[victim])
        wanted = {ticket(number)[0].encode() for number in range(DOCUMENTS - SPAM)}

        def ended() -> Counter[bytes]:
            return Counter(key for key, _, _ in outsider.read(parts.kafka or "", results))

        herd.wait_until(lambda: ended().keys() >= wanted, 120, lambda: f"{len(ended())} ended")
        herd.wait_until(partial(swept, session.kafka, name), 60, lambda: f"{left(session.kafka, name)} are left")
        assert [key for key, times in ended().items() if times > 1] == [], "doubled"
        assert ended().keys() == wanted, "lost"
        found = verdict(session)
        assert found.findings == []
        assert found.states == {"stored": DOCUMENTS - SPAM, "dead-lettered": SPAM}
        letters = outsider.read(parts.kafka or "", f"{name}.triage.dlq")
        assert len(letters) == SPAM
        assert "out of range" not in herd.log_whole()


def verdict(session: object) -> Verdict:
    """What the audit says."""
    return asyncio.run(audited(session, Question()))  # type: ignore[arg-type]


def left(kafka: dict[str, object], name: str) -> int:
    """Records in the first input that are not deleted."""
    return sum(span.end - span.start for span in Reader(kafka).spans([f"{name}.ingest", f"{name}.close"]).values())


def swept(kafka: dict[str, object], name: str) -> bool:
    """Nearly all is deleted: what is left stands behind a document that has not ended."""
    return left(kafka, name) < DOCUMENTS // 10
