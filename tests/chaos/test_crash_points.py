"""Each named place at which a process can die, walked on real Kafka: nothing is lost, doubled, overtaken or paid twice.

    victim     the first member of its group, told where to die
    heir       a second member, started once the victim is at work; it takes over
    auditor    counts calls by a file and results by a client of its own

All places are walked at the same time, each in a pipeline of its own: what takes long is waiting for sessions to end.
"""

import os
import signal
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd, Process
from infra.local.parts import Endpoints
from shared.core import topics
from shared.core.crash_points import CrashPoint
from shared.kafka.admin import ensure, plan
from tests.chaos.audit import audit, calls, results, tickets, triaged
from tests.chaos.counted import COUNTED

ROUNDS = 20 if os.environ.get("PENSTOCK_CHAOS") == "full" else 1
KEYS = 20
EACH = 4
"""Tickets of a key before the heir comes, and as many after."""
PASSING = dict.fromkeys((CrashPoint.BEFORE_CALL, CrashPoint.AFTER_CALL), KEYS + KEYS // 2)
PASSING |= dict.fromkeys(
    (
        CrashPoint.BEFORE_BEGIN,
        CrashPoint.AFTER_BEGIN,
        CrashPoint.AFTER_PRODUCE,
        CrashPoint.AFTER_OFFSETS,
        CrashPoint.AFTER_COMMIT,
        CrashPoint.AFTER_NOTE,
    ),
    3,
)
"""At which passing it dies: where something was committed before, more can be lost than at the first."""


@dataclass(frozen=True)
class Walk:
    """One place, and what it takes to come there."""

    herd: Herd
    kafka: str
    point: CrashPoint
    pipeline: str
    calls: Path
    protocol: str

    def run(self) -> None:
        """Let a victim die at the place, and an heir finish the work; then audit."""
        self._publish(0)
        victim = self._start(PENSTOCK_CRASH_AT=f"{self.point}:{PASSING.get(self.point, 1)}")
        self._wait(lambda: victim.poll() is not None or len(calls(self.calls)) > KEYS, "is at work")
        self._lead(victim)
        heir = self._start()
        self._publish(EACH)
        if self.point is CrashPoint.AFTER_LOSS:
            self._wait(lambda: any(process == heir.pid for _, process in calls(self.calls)), "has an heir")
            victim.send_signal(signal.SIGCONT)
        self._wait(lambda: victim.poll() is not None, "dies")
        assert victim.returncode == -signal.SIGKILL, f"{self.point}: {victim.returncode}\n{self.herd.log()}"
        outsider.limit(self.kafka, self._results, 1_000_000)
        self._wait(lambda: len(results(self.kafka, self._results)) >= 2 * EACH * KEYS, "is worked off")
        self._check(victim)

    @property
    def _results(self) -> str:
        return f"{self.pipeline}.results"

    def _lead(self, victim: Process) -> None:
        """Bring it to its place, where it does not come there by itself."""
        match self.point:
            case CrashPoint.BEFORE_LEAVE:
                victim.terminate()
            case CrashPoint.AFTER_LOSS:
                victim.send_signal(signal.SIGSTOP)
            case CrashPoint.AFTER_ABORT:
                # Results are refused, the small markers that end a transaction are not.
                outsider.limit(self.kafka, self._results, 100)

    def _start(self, **environment: str) -> Process:
        return self.herd.start(
            "tests.chaos.counted",
            TINY_PIPELINE=self.pipeline,
            COUNTED_CALLS=str(self.calls),
            COUNTED_SECONDS="0.4",
            PENSTOCK_GROUP_PROTOCOL=self.protocol,
            **environment,
        )

    def _publish(self, first: int) -> None:
        outsider.publish(self.kafka, f"{self.pipeline}.ingest", triaged(KEYS, EACH, first))

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        self.herd.wait_until(holds, 60, lambda: f"{self.point} {what}")

    def _check(self, victim: Process) -> None:
        called = calls(self.calls)
        if self.point is CrashPoint.AFTER_LOSS:
            # Between waking up and hearing of its loss a sleeper begins calls that are somebody else's already.
            heard = next(index for index, (_, process) in enumerate(called) if process != victim.pid)
            called = [call for index, call in enumerate(called) if index < heard or call[1] != victim.pid]
        found = audit(tickets(KEYS, 2 * EACH), results(self.kafka, self._results), called)
        assert found.broken == "", f"{self.point}: {found.broken}"
        # Each once, and none but those of the victim: how many had no commit yet is a matter of the machine.
        not_committed = [ticket for ticket, process in called if process == victim.pid and ticket in found.repeated]
        assert sum(found.repeated.values()) == len(not_committed), f"{self.point}: {found.repeated}"


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_process_may_die_at_every_place(parts: Endpoints, tmp_path: Path, turn: int) -> None:
    kafka = parts.kafka or ""
    names = {point: f"crash_{uuid.uuid4().hex[:8]}" for point in CrashPoint}
    wanted = {topic.name: topic for name in names.values() for topic in plan(replace(COUNTED, name=name))}
    ensure({"bootstrap.servers": kafka}, list(wanted.values()))
    protocol = "classic" if turn % 2 else "consumer"
    # The processes end before their topics do.
    with Herd(parts, tmp_path) as herd, ThreadPoolExecutor(len(names)) as pool:
        walks = [Walk(herd, kafka, point, name, tmp_path / f"{point}.calls", protocol) for point, name in names.items()]
        ended = [pool.submit(walk.run) for walk in walks]
    assert [str(error) for walk in ended if (error := walk.exception())] == []
    # Thousands of partitions of earlier turns would keep the broker from serving the next ones in time.
    outsider.delete(kafka, [name for name in wanted if name != topics.SCHEMAS])
