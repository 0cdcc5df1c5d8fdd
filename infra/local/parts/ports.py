"""Free loopback ports, chosen once per state folder and remembered there.

They are remembered because addresses written down by a person or a client should survive a restart, and they are taken
from below every system's ephemeral range, where an outgoing connection could otherwise occupy one while its owner is
down.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

RANGE = range(20_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # Without this a port whose last connections are in TIME_WAIT would seem taken, although servers can have it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(avoid: Collection[int] = ()) -> int:
    """Choose a loopback port on which nobody listens and which is not in `avoid`."""
    for port in random.sample(RANGE, ATTEMPTS):
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"none of {ATTEMPTS} ports tried between {RANGE.start} and {RANGE.stop} is free: stop other servers")


def remembered_ports(home: Path, *names: str) -> dict[str, int]:
    """Give each name its port of last time, or a new one where that is taken or was never chosen."""
    record = home / "ports.json"
    known: dict[str, int] = json.loads(record.read_text()) if record.exists() else {}
    for name in names:
        if name not in known or not is_free(known[name]):
            known[name] = free_port(avoid=known.values())
    fresh = record.with_suffix(".new")
    fresh.write_text(json.dumps(known))
    fresh.replace(record)
    return {name: known[name] for name in names}
