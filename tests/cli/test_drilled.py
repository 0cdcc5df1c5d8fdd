"""`penstock drill` on a running installation: what keeps its promises passes, and what does not is found out."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra import local
from infra.bench.homes import temporary_home
from infra.local.parts.ports import free_port
from shared.cli.drills.kinds import DRILLS, Ground
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.setting_names import PREFIX, PROVIDERS
from tests.cli.installation import lines
from tests.infra.waiting import wait_until
from tests.pipeline.live.installation import said_by

DOCUMENTS = 3


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The state folder of an installation that was started as a person would start it, and nobody's money in it."""
    with temporary_home() as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)
        for name in PROVIDERS:
            patch.setenv(name, "")
        patch.setenv("PENSTOCK_HOME", str(folder))
        patch.setenv("PENSTOCK_CONFIG", os.devnull)
        patch.setenv("PENSTOCK_BREAKER__RECOVERY", "2")
        try:
            assert main(["up", "--detach"]) == Exit.DONE
            wait_until(lambda: all(said_by(one.health_port or 0).get("ready") for one in services(folder)), 90)
            yield folder
        finally:
            local.down(folder)


Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def drill(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run drills; gives the exit code, and each one's report by its name."""

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["drill", *arguments, "--documents", str(DOCUMENTS), "--json"])
        said = capsys.readouterr()
        assert said.out, said.err
        return code, {report["drill"]: report for report in lines(said.out)[0]}

    return run


def services(home: Path) -> list[local.ServiceProcess]:
    """The processes that say of themselves whether they are ready."""
    return [one for one in local.ps(home) if one.health_port and one.service != "modelsim"]


def test_every_drill_runs_and_every_promise_is_kept(drill: Run) -> None:
    code, reports = drill("--timeout", "120")
    assert list(reports) == [one.name for one in DRILLS]
    assert {name: report["broken"] for name, report in reports.items() if report["broken"]} == {}
    assert code == Exit.DONE
    for report in reports.values():
        assert report["documents"] == sum(report["states"].values()) == DOCUMENTS
        assert report["states"].keys() <= {"stored", "in-review"}


def test_a_stage_that_keeps_no_promise_is_found_out(home: Path, drill: Run) -> None:
    environment = os.environ | local.environment(home) | {"PENSTOCK_HEALTH_PORT": str(port := free_port())}
    assert main(["scale", "store=0"]) == Exit.DONE
    careless = subprocess.Popen([sys.executable, "-m", "tests.cli.careless"], env=environment)
    try:
        wait_until(lambda: said_by(port).get("ready"), 60)
        code, reports = drill("kill-redis", "--timeout", "10")
    finally:
        careless.terminate()
        careless.wait(30)
        assert main(["scale", "store=1"]) == Exit.DONE
    broken = " ".join(reports["kill-redis"]["broken"])
    assert code == Exit.FAILED == 1
    for promise in ("accepted is not lost", "stored once", "an outage is a pause, not a graveyard"):
        assert promise in broken
    assert reports["kill-redis"]["failures"] == {"store_unavailable": 1}


def test_a_database_that_stands_still_does_so_in_every_process_it_has_and_goes_on_in_all(home: Path) -> None:
    ground = Ground(home)
    [first] = ground.pids("postgres")

    def stopped() -> set[bool]:
        found = set()
        for pid in local.family(first):
            with suppress(psutil.NoSuchProcess):
                found.add(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        return found

    assert len(local.family(first)) > 1, "a connection has a process of its own"
    with ground.still("postgres"):
        wait_until(lambda: stopped() == {True})
    wait_until(lambda: stopped() == {False})


def test_an_interrupt_in_the_middle_of_a_drill_leaves_nothing_standing_still(home: Path) -> None:
    command = [sys.executable, "-m", "shared.cli.main", "drill", "hang-database", "--documents", "1"]
    [first] = Ground(home).pids("postgres")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        wait_until(lambda: psutil.Process(first).status() == psutil.STATUS_STOPPED, 60)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == Exit.INTERRUPTED
    wait_until(lambda: psutil.Process(first).status() != psutil.STATUS_STOPPED)
