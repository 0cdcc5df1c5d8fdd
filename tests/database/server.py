"""A PostgreSQL of a test's own, that may be killed and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from infra.local.parts import RunningParts, start_parts


class OwnPostgres:
    """A server on one port with its data in one folder, whatever happens to its process."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: RunningParts | None = None
        self.url = ""

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._running = start_parts(self._home, {"postgres"})
        self.url = self._running.endpoints.database or ""

    def kill(self) -> None:
        """End it as a crash would, without a checkpoint and without a word to its clients."""
        if self._running is not None:
            child = self._running.children["postgres"]
            # Not SIGKILL: its workers would live on for a while and keep the next one from starting.
            os.kill(child.pid, signal.SIGQUIT)
            child.process.wait(30)
            self._running.stop()
            self._running = None
