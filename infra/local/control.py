"""The supervisor's unix socket: one JSON object a line, one answer for each, and the lock that says who supervises."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from infra.local.processes import LocalError

# Linux takes 107 characters, macOS 103.
LONGEST_PATH = 100
ANSWER_SECONDS = 10.0


class Lock:
    """The right to supervise a state folder; held until the holder's process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        self._file = (home / "supervisor.lock").open("a")

    def take(self) -> bool:
        """Take the lock if it is free; tell whether it was."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def is_supervised(home: Path) -> bool:
    """Tell whether a supervisor of this state folder runs."""
    if not (home / "supervisor.lock").exists():
        return False
    lock = Lock(home)
    free = lock.take()
    lock.release()
    return not free


def make_socket(home: Path) -> socket.socket:
    """Open the socket, in a short temporary folder where the state folder's own path is too long for one."""
    remove_socket(home)
    path = home / "control.sock"
    if len(os.fsencode(path)) > LONGEST_PATH:
        path = Path(tempfile.mkdtemp(prefix="penstock-")) / "control.sock"
        (home / "control.path").write_text(str(path))
    server = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        server.bind(str(path))
    finally:
        os.umask(mask)
    return server


def remove_socket(home: Path) -> None:
    """Remove the socket of a supervisor that is gone."""
    path = socket_path(home)
    path.unlink(missing_ok=True)
    if path.parent != home:
        shutil.rmtree(path.parent, ignore_errors=True)
        (home / "control.path").unlink(missing_ok=True)


def socket_path(home: Path) -> Path:
    """Tell where the socket of this state folder is."""
    record = home / "control.path"
    return Path(record.read_text()) if record.exists() else home / "control.sock"


def ask(home: Path, question: dict[str, Any]) -> dict[str, Any]:
    """Put a question to the supervisor; raises `OSError` where none answers, `LocalError` where it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(str(socket_path(home)))
        connection.sendall(json.dumps(question).encode() + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline()
    if not line:
        raise ConnectionResetError("the supervisor ended while it was asked")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LocalError(answer["error"])
    return answer
