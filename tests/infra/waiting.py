"""Waiting for a condition, and looking at processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from infra.bench.homes import REMOVE_WHEN_ALONE


def wait_until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Return as soon as the condition holds; fail if it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes that name this state folder in their arguments or environment.

    Save for the guard that removes the folder after the test, which the test started itself.
    """
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("PENSTOCK_HOME", "")]
            ours = process.pid == os.getpid() or REMOVE_WHEN_ALONE in words
            if not ours and any(str(home) in word for word in words):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def members_of_group(group: int) -> list[int]:
    """The pids of a process group, without the dead that nobody has collected yet."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return found
