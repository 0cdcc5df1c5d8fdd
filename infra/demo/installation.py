"""The demo's own installation: `penstock up` in a folder of its own, tied to the life of the demo.

It is started as a person would start it, and beside whatever installation that person has. A leash ends it however the
demo ends, `kill -9` included.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from infra.demo.screen import typed
from infra.local import leash

PENSTOCK = str(Path(sys.executable).parent / "penstock")
READY_SECONDS = 120.0
STOP_SECONDS = 60


class DemoError(Exception):
    """The demo did not see what it should have seen."""


class Installation:
    """A running Penstock, and the commands that act on it. Use it with `with`."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        """State, logs and settings."""
        # A demo is the same everywhere: what the user has set for other installations must not reach into it.
        own = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        self._environment = {**own, "PENSTOCK_HOME": str(home), "PENSTOCK_CONFIG": os.devnull, **environment}

    def __enter__(self) -> "Installation":
        self.home.mkdir(parents=True, exist_ok=True)
        tie = [sys.executable, "-I", "-S", leash.__file__, "SIGTERM", str(STOP_SECONDS), "-", "--"]
        with (self.home / "up.log").open("wb") as log:
            self._up = subprocess.Popen(
                [*tie, PENSTOCK, "up"], env=self._environment, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._up.terminate()
        try:
            self._up.wait(STOP_SECONDS)
        finally:
            if self._up.stdin:
                self._up.stdin.close()

    def wait_until_ready(self) -> list[dict[str, Any]]:
        """Wait until every service can take work; gives the processes."""
        found: list[dict[str, Any]] = self.wait(self._ready, READY_SECONDS, "every service is ready")
        return found

    def _ready(self) -> list[dict[str, Any]]:
        if self._up.poll() is not None:
            raise DemoError(f"`penstock up` ended: {(self.home / 'up.log').read_text()[-2000:]}")
        found = self.data("ps") if (self.home / "endpoints.json").exists() else []
        services = [one for one in found if not one["part"]]
        return found if services and all(one["ready"] for one in services) else []

    def show(self, *command: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command as a person would: shown, with what it says."""
        typed("penstock " + " ".join(command))
        return self.run(*command, codes=codes)

    def run(self, *command: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run a command; gives its stdout. Raises DemoError where it ends with another code."""
        done = subprocess.run([PENSTOCK, *command], env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise DemoError(f"penstock {' '.join(command)} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command whose output goes straight to the terminal."""
        return subprocess.Popen([PENSTOCK, *command], env=self._environment, stdout=subprocess.DEVNULL)

    def data(self, *command: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run a command with --json; gives its one value."""
        return json.loads(self.run(*command, "--json", codes=codes))

    def rows(self, *command: str, codes: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
        """Run a command with --json that gives one object a line."""
        return [json.loads(line) for line in self.run(*command, "--json", codes=codes).splitlines()]

    def wait(self, look: Callable[[], Any], seconds: float, what: str) -> Any:
        """Look again until there is something to see. Raises DemoError at the deadline."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise DemoError(f"not within {seconds:.0f} s: {what}; logs are in {self.home / 'logs'}")
            time.sleep(0.2)
        return found

    def simulated(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Say something to the simulated provider, shown as the curl that a person would type."""
        port = json.loads((self.home / "ports.json").read_text("utf-8"))["modelsim"]
        address = f"http://127.0.0.1:{port}{path}"
        typed(f"curl -X {method} {address}" + (f" -d '{json.dumps(body)}'" if body else ""))
        data = json.dumps(body).encode() if body else None
        request = Request(address, data, {"content-type": "application/json"}, method=method)
        with urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None
