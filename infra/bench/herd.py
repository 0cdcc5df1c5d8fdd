"""Service processes of a benchmark or a test: started, killed, and never left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.local.leftovers import wait_until_gone
from infra.local.parts import Endpoints
from infra.local.processes import Child, Command, spawn

STOP_SECONDS = 20.0


Process = subprocess.Popen[bytes]
"""One of them."""


class Unreached(Exception):
    """A condition did not come true in time, or a process ended by itself before it could."""


class Herd:
    """Starts `python -m …` processes against given parts; `with` ends whatever is still alive.

    Each is on a leash: it ends too when this process is killed in whatever way.
    """

    def __init__(self, parts: Endpoints, folder: Path, **environment: str) -> None:
        self._folder = folder
        self.settings = {
            "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS": parts.kafka or "",
            "PENSTOCK_REDIS_URL": parts.redis or "",
            "PENSTOCK_DATABASE_URL": parts.database or "",
            "PENSTOCK_BLOB_URL": (folder / "blobs").as_uri(),
            "PENSTOCK_GROUP_PROTOCOL": "consumer",
            "PENSTOCK_CONFIG": str(folder / "none.toml"),
            "PENSTOCK_HOME": str(folder / "home"),
            **environment,
        }
        """What each of them is told."""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")},
            **self.settings,
        }
        """The whole environment of each of them."""
        self._children: list[Child] = []

    @property
    def processes(self) -> list[Process]:
        """In the order of their start, ended ones included."""
        return [child.process for child in self._children]

    def start(self, *command: str, **environment: str) -> Process:
        """Start `python -m COMMAND…`; its output goes to a log file of its own."""
        name = f"{command[0]}-{len(self._children)}"
        arguments = (sys.executable, "-m", *command)
        child = spawn(Command(name, arguments, self._folder / f"{name}.log", {**self.environment, **environment}))
        self._children.append(child)
        return child.process

    def penstock(self, *arguments: str, expect: tuple[int, ...] = (0,), timeout: float | None = None) -> list[Any]:
        """Run a command to its end, as an operator would; gives the JSON values it printed. Raises Unreached where it
        ends otherwise, TimeoutExpired."""
        command = [sys.executable, "-m", "shared.cli.main", *arguments, "--json"]
        done = subprocess.run(
            command, env=self.environment, check=False, capture_output=True, text=True, timeout=timeout
        )
        if done.returncode not in expect:
            raise Unreached(f"penstock {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def reaches(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Look again until it holds; False at the deadline. Raises Unreached when a process ended by itself."""
        deadline = time.monotonic() + seconds
        while not holds():
            if ended := [child.command.name for child in self._children if (child.process.poll() or 0) > 0]:
                raise Unreached(f"ended by themselves: {', '.join(ended)}\n{self.log()}")
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: Callable[[], str] = str) -> None:
        """Look again until it holds. Raises Unreached at the deadline, or when a process ended by itself."""
        if not self.reaches(holds, seconds):
            raise Unreached(f"not within {seconds} s: {what()}\n{self.log()}")

    def log(self) -> str:
        """What all of them said at last."""
        said = ((path.name, path.read_text()[-4000:]) for path in sorted(self._folder.glob("*.log")))
        return "\n".join(f"{name}: {text}" for name, text in said if text)

    def log_whole(self) -> str:
        """Everything that all of them said."""
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def __enter__(self) -> "Herd":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            # Not asked again: a second word finds a process that has just put down its ear, and would kill it.
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
            child.let_go()
        wait_until_gone({child.pid for child in self._children})
