"""Free loopback ports, chosen once per state folder and remembered there.

They are remembered because addresses written down by a person or a client should survive a restart, and they are taken
from below every system's ephemeral range, where an outgoing connection could otherwise occupy one while its owner is
down.

Between the choice of a port and the moment at which a server listens on it lie seconds, in which another process would
find it free as well. So each process chooses from a block of its own, and takes every port of it once before it begins
again.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Collection, Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

RANGE = range(20_000, 32_000)
BLOCK = 200
"""Ports of one process."""


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
    for _ in range(BLOCK):
        port = next(_turns())
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"none of {BLOCK} ports tried between {RANGE.start} and {RANGE.stop} is free: stop other servers")


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


@cache
def _turns() -> Iterator[int]:
    """The ports of this process's block, from anywhere in it, in turn."""
    block = _own_block()
    begin = random.randrange(len(block))
    return cycle([*block[begin:], *block[:begin]])


def _own_block() -> range:
    """A block that no other process has; any one where all are taken.

    Its first port is bound, and nobody ever listens there: the system holds it as long as the process lives, in
    whatever way that ends, and no file is left for anybody to clean up.
    """
    blocks = [RANGE[start : start + BLOCK] for start in range(0, len(RANGE), BLOCK)]
    random.shuffle(blocks)
    for block in blocks:
        with socket.socket() as guard:
            try:
                guard.bind(("127.0.0.1", block[0]))
            except OSError:
                continue
            guard.detach()
            return block[1:]
    return blocks[0][1:]
