"""Members join and leave every second or two under load: nothing is lost or doubled, and no call is repeated."""

import os
import random
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.kafka.admin import ensure, plan
from tests.chaos.audit import audit, calls, results, tickets, triaged
from tests.chaos.counted import COUNTED
from tests.chaos.crew import Crew

FULL = os.environ.get("PENSTOCK_CHAOS") == "full"
KEYS = 60
EACH = 400 if FULL else 40
CHANGES = 100 if FULL else 8
LEAVES_WITHIN = 15.0
"""Seconds, for who was asked to leave last: it takes a call's time."""
MEMBERS = 4
"""Most at a time; one more than there are partitions."""


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_a_storm_of_rebalances_repeats_no_call(parts: Endpoints, tmp_path: Path, protocol: str) -> None:
    kafka, name, dice = parts.kafka or "", f"storm_{uuid.uuid4().hex[:8]}", random.Random(protocol)
    ensure({"bootstrap.servers": kafka}, plan(replace(COUNTED, name=name)))
    outsider.publish(kafka, f"{name}.ingest", triaged(KEYS, EACH))
    counted = tmp_path / "calls"
    told = {"TINY_PIPELINE": name, "COUNTED_CALLS": str(counted), "COUNTED_SECONDS": "0.3"}

    def done() -> bool:
        return len(results(kafka, f"{name}.results")) >= KEYS * EACH

    def passed(moment: float) -> bool:
        return time.monotonic() > moment

    with Herd(parts, tmp_path, PENSTOCK_GROUP_PROTOCOL=protocol) as herd:
        crew = Crew(herd, told)
        crew.join("tests.chaos.counted")
        crew.until(counted.exists, 60, "the first call")
        for _ in range(CHANGES):
            running = list(crew.processes.values())
            if len(running) < MEMBERS and (len(running) == 1 or dice.random() < 0.6):
                crew.join("tests.chaos.counted")
            else:
                crew.leave(dice.choice(running))
            crew.until(partial(passed, time.monotonic() + dice.uniform(1, 2)), 10, "a moment")
        crew.until(done, 300, "all is worked off")
        crew.until(lambda: all(one.poll() is not None for one in crew.left), LEAVES_WITHIN, "who was asked to has left")
    called = calls(counted)
    found = audit(tickets(KEYS, EACH), results(kafka, f"{name}.results"), called)
    assert found.broken == ""
    assert found.repeated == {}
    assert crew.ended == []
    # One that is told to leave while it still starts has nothing to end, and no ear for the word.
    at_work = {process for _, process in called}
    assert {one.returncode for one in crew.left if one.pid in at_work} <= {0}
