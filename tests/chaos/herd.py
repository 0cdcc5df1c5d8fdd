"""Service processes of a test: started, killed, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from infra.local.parts import Endpoints


class Herd:
    """Starts `python -m …` processes against given parts; `with` ends whatever is still alive."""

    def __init__(self, parts: Endpoints, folder: Path, **environment: str) -> None:
        self._folder = folder
        self.settings = {
            "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS": parts.kafka or "",
            "PENSTOCK_REDIS_URL": parts.redis or "",
            "PENSTOCK_DATABASE_URL": parts.database or "",
            "PENSTOCK_BLOB_URL": (folder / "blobs").as_uri(),
            "PENSTOCK_GROUP_PROTOCOL": "consumer",
            "PENSTOCK_CONFIG": str(folder / "none.toml"),
            **environment,
        }
        """What each of them is told."""
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")},
            **self.settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        """In the order of their start, ended ones included."""

    def start(self, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start `python -m COMMAND…`; its output goes to a log file of its own."""
        with (self._folder / f"{command[0]}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], env={**self._environment, **environment}, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: Callable[[], str] = str) -> None:
        """Look again until it holds; fails at the deadline, or when a process ended by itself."""
        deadline = time.monotonic() + seconds
        while not holds():
            ended = [p.args for p in self.processes if (p.poll() or 0) > 0]
            assert not ended, f"ended by themselves: {ended}\n{self.log()}"
            assert time.monotonic() < deadline, f"not within {seconds} s: {what()}\n{self.log()}"
            time.sleep(0.1)

    def log(self) -> str:
        """What all of them said, for a failing test."""
        return "\n".join(f"{path.name}: {path.read_text()[-2000:]}" for path in sorted(self._folder.glob("*.log")))

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
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
