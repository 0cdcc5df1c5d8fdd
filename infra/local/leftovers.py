"""Finds and ends what a supervisor that was killed has left behind.

Each process is recorded when it starts, by pid, start time and command line. All three must agree before anything is
ended: a pid alone may meanwhile belong to a stranger, and a name alone to another installation.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from infra.local.processes import Child

POLL_SECONDS = 0.05
KILL_SECONDS = 5.0


def record(home: Path, children: Iterable[Child]) -> None:
    """Write down the processes that run now."""
    entries = []
    for child in children:
        with suppress(psutil.NoSuchProcess):
            entries.append(
                {
                    "name": child.command.name,
                    "pid": child.pid,
                    "started": psutil.Process(child.pid).create_time(),
                    "command": list(child.command.arguments),
                    "farewell": child.command.farewell.name,
                    "grace": child.command.grace,
                }
            )
    if not home.is_dir():
        return
    file = home / "processes.json"
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(entries, indent=1))
    fresh.replace(file)


def end_leftovers(home: Path, report: Callable[[str], None]) -> None:
    """End every recorded process that still runs, giving its leash the time to do so in good order."""
    file = home / "processes.json"
    if not file.exists():
        return
    for entry in json.loads(file.read_text()):
        process = recognise(entry["pid"], entry["started"], entry["command"])
        if process is None:
            continue
        report(f"ending {entry['name']} (pid {process.pid}), left behind by a supervisor that was killed")
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            process.send_signal(signal.Signals[entry["farewell"]])
            _wait(process, entry["grace"] + 1.0)
            os.killpg(process.pid, signal.SIGKILL)
            _wait(process, KILL_SECONDS)
    file.unlink()


def recognise(pid: int, started: float, command: list[str]) -> psutil.Process | None:
    """Give the process if it is the one recorded, else None."""
    try:
        process = psutil.Process(pid)
        same = process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE
        # A record made between fork and exec sees the leash's command line, which ends in the command's own.
        same = same and process.cmdline()[-len(command) :] == command
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if same else None


def wait_until_gone(groups: Collection[int]) -> None:
    """Wait until no process of these process groups runs, which takes a moment after the last leash was let go."""
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline and any(_group_of(process) in groups for process in psutil.process_iter()):
        time.sleep(POLL_SECONDS)


def _group_of(process: psutil.Process) -> int:
    try:
        return -1 if process.status() == psutil.STATUS_ZOMBIE else os.getpgid(process.pid)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return -1


def _wait(process: psutil.Process, seconds: float) -> None:
    """Wait for a process to end; one that is dead and not yet collected by the system has ended."""
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
