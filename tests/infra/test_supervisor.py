"""The supervisor with services that are tiny programs, and no parts: what is started is kept, scaled and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import LocalError, Plan, Service, ServiceProcess, down, endpoints, environment, ps, scale, up
from tests.infra.waiting import processes_of, wait_until

NO_PARTS: frozenset[str] = frozenset()
SLEEPER = Service("sleeper", ("sleep", "600"))


def plan(*services: Service) -> Plan:
    return Plan(NO_PARTS, services)


def the(home: Path, name: str) -> ServiceProcess:
    return next(process for process in ps(home) if process.name == name)


def test_up_starts_what_was_planned_and_down_leaves_no_process(home: Path) -> None:
    status = up(plan(SLEEPER, Service("other", ("sleep", "600"), 2)), home, detach=True)
    assert status.started
    assert [process.name for process in status.processes] == ["sleeper-1", "other-1", "other-2"]
    assert all(process.state == "running" for process in status.processes)
    assert down(home)
    assert processes_of(home) == []
    assert ps(home) == []
    assert endpoints(home) is None
    assert not down(home)


def test_a_second_up_finds_what_runs(home: Path) -> None:
    first = up(plan(SLEEPER), home, detach=True)
    lines: list[str] = []
    second = up(plan(SLEEPER), home, detach=True, report=lines.append)
    assert not second.started
    assert lines == []
    assert [process.pid for process in second.processes] == [process.pid for process in first.processes]


def test_a_service_that_crashes_is_started_again_and_its_exit_is_named(home: Path) -> None:
    before = up(plan(SLEEPER), home, detach=True).processes[0]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: the(home, "sleeper-1").restarts == 1 and the(home, "sleeper-1").state == "running")
    after = the(home, "sleeper-1")
    assert after.pid != before.pid
    assert after.last_exit == "killed by SIGKILL"


def test_what_a_crashed_service_had_started_is_ended_with_it(home: Path) -> None:
    grandchild = home / "grandchild"
    script = f"sleep 600 & echo $! > {grandchild}.new; mv {grandchild}.new {grandchild}; exec sleep 600"
    service = up(plan(Service("parent", ("sh", "-c", script))), home, detach=True).processes[0]
    wait_until(grandchild.exists)
    assert service.pid is not None
    orphan = int(grandchild.read_text())
    grandchild.unlink()
    os.kill(service.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(orphan))


def is_running(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.strip().startswith("Z")


def test_scaling_starts_processes_and_ends_the_highest_numbers(home: Path) -> None:
    up(plan(SLEEPER), home, detach=True)
    assert scale(home, "sleeper", 3) == 1
    wait_until(lambda: [process.name for process in ps(home)] == ["sleeper-1", "sleeper-2", "sleeper-3"])
    wait_until(lambda: len({process.pid for process in ps(home)} - {None}) == 3)
    assert scale(home, "sleeper", 1) == 3
    wait_until(lambda: [process.name for process in ps(home)] == ["sleeper-1"])
    assert scale(home, "sleeper", 0) == 1
    wait_until(lambda: ps(home) == [])


@pytest.mark.parametrize(
    ("service", "count", "message"),
    [
        ("sleepr", 2, "no service 'sleepr' here; there are: sleeper"),
        ("sleeper", -1, "sleeper=-1: a service has 0 to 64 processes"),
        ("sleeper", 65, "sleeper=65: a service has 0 to 64 processes"),
    ],
)
def test_scaling_refuses_what_cannot_be_meant(home: Path, service: str, count: int, message: str) -> None:
    up(plan(SLEEPER), home, detach=True)
    with pytest.raises(LocalError, match=message):
        scale(home, service, count)


def test_scaling_what_does_not_run_names_the_remedy(home: Path) -> None:
    with pytest.raises(LocalError, match="start it with `penstock up`"):
        scale(home, "sleeper", 2)


def test_each_process_has_its_own_instance_and_health_port_and_the_users_settings_win(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "redis://elsewhere:1/0")
    monkeypatch.setenv("PENSTOCK_INSTANCE", "mine")
    seen = home / "seen"
    seen.mkdir()
    script = f"env > {seen}/$PENSTOCK_INSTANCE.new; mv {seen}/$PENSTOCK_INSTANCE.new {seen}/$PENSTOCK_INSTANCE; sleep 9"
    own = {"PENSTOCK_REDIS_URL": "redis://planned:1/0", "PLANNED": "yes"}
    up(plan(Service("teller", ("sh", "-c", script), 2, own)), home, detach=True)
    wait_until((seen / "teller-1").exists)
    wait_until((seen / "teller-2").exists)
    one, two = (
        dict(line.split("=", 1) for line in (seen / name).read_text().splitlines() if "=" in line)
        for name in ("teller-1", "teller-2")
    )
    assert one["PENSTOCK_HEALTH_PORT"] != two["PENSTOCK_HEALTH_PORT"]
    assert int(one["PENSTOCK_HEALTH_PORT"]) == the(home, "teller-1").health_port
    assert one["PENSTOCK_REDIS_URL"] == "redis://elsewhere:1/0"
    assert one["PLANNED"] == "yes"
    assert one["PENSTOCK_HOME"] == str(home)
    assert one["PENSTOCK_BLOB_URL"] == (home / "blobs").as_uri()
    assert environment(home)["PENSTOCK_REDIS_URL"] == "redis://elsewhere:1/0"


def test_what_prepares_runs_to_its_end_before_the_first_service(home: Path) -> None:
    first, second = (("sh", "-c", f"echo {word} >> {home}/order") for word in ("topics", "tables"))
    service = Service("late", ("sh", "-c", f"echo service >> {home}/order; sleep 600"))
    up(Plan(NO_PARTS, (service,), (first, second)), home, detach=True)
    wait_until(lambda: (home / "order").read_text().split() == ["topics", "tables", "service"])


def test_a_preparation_that_fails_is_reported_with_what_it_said_and_leaves_nothing(home: Path) -> None:
    failing = Plan(NO_PARTS, (SLEEPER,), (("sh", "-c", "echo no such topic; exit 4"),))
    with pytest.raises(LocalError, match=r"(?s)exit status 4.*no such topic"):
        up(failing, home, detach=True)
    assert processes_of(home) == []
    assert up(plan(SLEEPER), home, detach=True).started


def test_a_state_folder_with_a_long_path_can_be_controlled(home: Path) -> None:
    long = home / ("long" * 30)
    assert up(plan(SLEEPER), long, detach=True).started
    assert [process.name for process in ps(long)] == ["sleeper-1"]
    assert down(long)


def test_removing_the_state_folder_stops_what_it_described(home: Path) -> None:
    inner = home / "inner"
    up(plan(SLEEPER), inner, detach=True)
    subprocess.run(["rm", "-rf", str(inner)], check=True)
    wait_until(lambda: processes_of(inner) == [])


FOREGROUND = """
import sys
from pathlib import Path
from infra.local import Plan, Service, up
plan = Plan(frozenset(), (Service("service", ("sh", "-c", sys.argv[2])),))
up(plan, Path(sys.argv[1]), detach=False, report=print)
"""


def foreground(home: Path, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-u", "-c", FOREGROUND, str(home), script], stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_a_foreground_up_drains_the_services_and_stops_everything(
    home: Path, asked: signal.Signals
) -> None:
    drained = home / "drained"
    script = f"trap 'touch {drained}; exit 0' TERM; touch {home}/ready; while :; do sleep 0.05; done"
    with foreground(home, script) as process:
        wait_until((home / "ready").exists)
        process.send_signal(asked)
        assert process.wait(20) == 0
    assert drained.exists()
    assert processes_of(home) == []


def test_a_second_interrupt_does_not_wait_for_a_service_that_will_not_drain(home: Path) -> None:
    script = f"trap '' TERM; touch {home}/ready; while :; do sleep 0.05; done"
    with foreground(home, script) as process:
        wait_until((home / "ready").exists)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: the(home, "service-1").state == "stopping")
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
    assert processes_of(home) == []


def test_a_recorded_pid_that_belongs_to_a_stranger_by_now_is_left_alone(home: Path) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        entry = {"name": "sleeper-1", "pid": stranger.pid, "started": 1.0, "command": ["sleep", "600"]}
        (home / "processes.json").write_text(json.dumps([{**entry, "farewell": "SIGKILL", "grace": 0.0}]))
        up(plan(SLEEPER), home, detach=True)
        assert stranger.poll() is None
        stranger.kill()
