"""Child processes on a leash: each in its own process group, its output in a file, gone when the parent is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
LOG_LIMIT_BYTES = 16 * 1024 * 1024


class LocalError(Exception):
    """Something the local installation needs is missing, or did not start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run and how it is to be stopped."""

    name: str
    """The process's name, unique in its state folder: `kafka`, `analyze-2`."""
    arguments: Sequence[str]
    """The program and its arguments."""
    log: Path
    """The file its output is appended to."""
    environment: Mapping[str, str] | None = None
    """The whole environment; None hands on this process's own."""
    folder: Path | None = None
    """The working directory; None keeps this process's own."""
    stop_signal: signal.Signals = signal.SIGTERM
    """What asks it to finish in good order."""
    farewell: signal.Signals = signal.SIGKILL
    """What the leash sends when the supervisor is gone; nothing is left then to drain into."""
    grace: float = 0.0
    """Seconds between the farewell and the kill."""
    user: tuple[int, int] | None = None
    """The uid and gid to run under; None keeps this process's own."""


@dataclass(slots=True)
class Child:
    """A running command; its pid is the command's own."""

    command: Command
    process: subprocess.Popen[bytes]
    leash: int
    """The end of the pipe that must stay open for the command to live; -1 when let go."""
    started: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        """The command's process id, which is its process group's too."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """The exit status if it has ended (negative: killed by that signal), else None."""
        code = self.process.poll()
        if code is not None:
            self.let_go()
        return code

    def ask_to_stop(self) -> None:
        """Send the command's stop signal, to itself only: what it started is its own to end."""
        if self.process.poll() is None:
            self.process.send_signal(self.command.stop_signal)

    def kill(self) -> None:
        """Kill the process group and collect the exit status."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self.let_go()

    def stop(self, timeout: float) -> int:
        """Ask it to stop, wait for at most `timeout` seconds, then kill it; give the exit status."""
        self.ask_to_stop()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self.let_go()
        return self.process.wait()

    def let_go(self) -> None:
        """Close the leash, by which whatever is left of the process group dies."""
        if self.leash >= 0:
            os.close(self.leash)
            self.leash = -1


def spawn(command: Command) -> Child:
    """Start a command on a leash held by this process."""
    command.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    turn_over(command.log)
    user = "-" if command.user is None else "{}:{}".format(*command.user)
    leashed = [sys.executable, "-I", "-S", str(LEASH), command.farewell.name, str(command.grace), user, "--"]
    reading, writing = os.pipe()
    try:
        with command.log.open("ab") as log:
            process = subprocess.Popen(
                [*leashed, *command.arguments],
                stdin=reading,
                stdout=log,
                stderr=log,
                env=command.environment,
                cwd=command.folder,
                start_new_session=True,
            )
    except OSError:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    return Child(command, process, writing)


def turn_over(log: Path) -> None:
    """Put a log that has grown large aside, so that no more than two such files are kept."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".old"))


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return "(no output)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-count:]) or "(no output)"
