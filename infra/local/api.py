"""What `penstock up`, `down`, `ps` and `scale` call: functions of a state folder, giving values."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local import control
from infra.local.parts import Endpoints
from infra.local.plan import Plan
from infra.local.processes import LocalError
from infra.local.supervisor import Supervisor

POLL_SECONDS = 0.05
DOWN_SECONDS = 120.0
EXIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One process of an installation, as its supervisor sees it."""

    name: str
    """Its name, `analyze-2`; for a part `kafka`, `redis` or `postgres`. It is the process's `PENSTOCK_INSTANCE`."""
    service: str
    """The service it belongs to, `analyze`."""
    part: bool
    """Whether it is an embedded part and no service."""
    state: str
    """`running`, `waiting` (ended, to be started again) or `stopping`."""
    pid: int | None
    """Its process id while there is a process."""
    seconds: float
    """How long it has been running."""
    restarts: int
    """How often it had to be started again."""
    last_exit: str
    """How the process before this one ended; empty if there was none."""
    health_port: int | None
    """The loopback port of its `/health/live`, `/health/ready` and `/metrics`; None for a part."""
    log: str
    """The file with its output."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `up` brought about or found."""

    started: bool
    """False if the installation ran already."""
    endpoints: Endpoints
    """The addresses of the embedded parts."""
    processes: tuple[ServiceProcess, ...]
    """The processes that run; empty where a foreground `up` has ended."""
    supervisor: int | None = None
    """The supervisor's process id while it runs."""


def up(plan: Plan, home: Path, detach: bool, report: Callable[[str], None] = lambda line: None) -> Status:
    """Bring a plan about; an installation that runs already is reported, not started twice.

    Detached, it returns when every process has been started, and raises `LocalError` if that failed. Otherwise it
    returns when everything has stopped, which SIGINT or SIGTERM asks for.
    """
    home = home.resolve()
    while control.is_supervised(home):
        # What another `up` is told is for the person who called that one.
        if _relay(home, lambda line: None, lambda: True):
            return _status(home, started=False)
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    if not detach:
        asyncio.run(Supervisor(home, plan, report).run())
        return Status(True, Endpoints(), ())
    fresh = home / "plan.new"
    fresh.write_text(plan.to_json())
    fresh.replace(home / "plan.json")
    logs = home / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    supervisor = _spawn_supervisor(home, logs)
    if not _relay(home, report, lambda: os.waitpid(supervisor, os.WNOHANG) != (0, 0)):
        raise LocalError((logs / "supervisor.err").read_text().strip() or "the supervisor was stopped while starting")
    return _status(home, started=True)


def down(home: Path) -> bool:
    """Stop an installation and return when no process of it is left; tell whether there was one."""
    home = home.resolve()
    if not control.is_supervised(home):
        return False
    deadline = time.monotonic() + DOWN_SECONDS
    supervisor = None
    while control.is_supervised(home):
        if supervisor is None:
            # One that has just begun, or is just ending, has its lock and no socket.
            with suppress(OSError, psutil.NoSuchProcess):
                supervisor = psutil.Process(control.ask(home, {"do": "stop"})["pid"])
        if time.monotonic() > deadline:
            raise LocalError(
                f"the supervisor of {home} has not stopped within {DOWN_SECONDS:.0f} s: see {home / 'logs'}"
            )
        time.sleep(POLL_SECONDS)
    if supervisor:
        with suppress(psutil.TimeoutExpired):
            supervisor.wait(EXIT_SECONDS)
    return True


def ps(home: Path) -> list[ServiceProcess]:
    """List the processes of an installation; empty if none runs."""
    home = home.resolve()
    if not control.is_supervised(home):
        return []
    try:
        return [ServiceProcess(**each) for each in control.ask(home, {"do": "ps"})["processes"]]
    except OSError:
        return []


def family(pid: int) -> list[int]:
    """The pids of a process and of all that it has started: PostgreSQL has one for each of its connections."""
    with suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def scale(home: Path, service: str, count: int) -> int:
    """Set how many processes a service has, and give how many it had; those that leave drain first."""
    home = home.resolve()
    try:
        before: int = control.ask(home, {"do": "scale", "service": service, "count": count})["before"]
    except OSError as error:
        raise LocalError(f"nothing runs in {home}: start it with `penstock up`") from error
    return before


def endpoints(home: Path) -> Endpoints | None:
    """Give the addresses of the embedded parts while they run, else None."""
    file = home / "endpoints.json"
    if not control.is_supervised(home):
        return None
    try:
        return Endpoints(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None


def environment(home: Path) -> dict[str, str]:
    """Give the settings by which a process of one's own takes part in a running installation; empty if none runs."""
    try:
        seen: dict[str, str] = control.ask(home.resolve(), {"do": "env"})["environment"]
    except OSError:
        return {}
    return {name: value for name, value in seen.items() if name.startswith("PENSTOCK_")}


def _status(home: Path, started: bool) -> Status:
    supervisor = control.ask(home, {"do": "status"})["pid"]
    return Status(started, endpoints(home) or Endpoints(), tuple(ps(home)), supervisor)


def _spawn_supervisor(home: Path, logs: Path) -> int:
    """Start the supervisor in a session of its own; not as a `Popen`, which would want to be waited for."""
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(logs / "supervisor.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, str(logs / "supervisor.err"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
    ]
    arguments = [sys.executable, "-m", "infra.local", str(home)]
    return os.posix_spawn(sys.executable, arguments, os.environ, file_actions=streams, setsid=True)


def _relay(home: Path, report: Callable[[str], None], has_ended: Callable[[], bool]) -> bool:
    """Report what the supervisor says until everything has been started; tell whether that came about."""
    heard = 0
    while True:
        try:
            answer = control.ask(home, {"do": "status", "since": heard})
        except OSError:
            answer = {"state": "absent", "said": []}
        for line in answer["said"]:
            report(line)
        heard += len(answer["said"])
        if answer["state"] == "running":
            return True
        # The lock is asked last: while somebody has it, its owner may still become ready.
        if has_ended() and not control.is_supervised(home):
            return False
        time.sleep(POLL_SECONDS)
