"""A Redis of a test's own, that may be killed, hung and emptied."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import redis

from infra.local.parts.part import ask
from infra.local.parts.ports import free_port
from infra.local.parts.redis import server
from tests.state.waiting import until_now


class OwnRedis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(server()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self._options]
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        until_now(self.answers)

    def answers(self) -> bool:
        """Whether it speaks."""
        return ask(self.port, b"PING\r\n", 5)[:1] in (b"+", b"-")

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Stop it in mid-air: connections stay, answers do not come."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """The opposite of `hang`."""
        self._send(signal.SIGCONT)

    def empty(self) -> None:
        """Delete everything in it."""
        ask(self.port, b"FLUSHALL\r\n", 3)

    def spoil(self) -> None:
        """Write rubbish over the state of every breaker."""
        with redis.Redis(port=self.port) as client:
            for number, key in enumerate(client.scan_iter("*:state:*")):
                client.delete(key)
                client.set(key, "{not json") if number % 2 else client.rpush(key, "a list")

    def _send(self, signal_: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal_)
