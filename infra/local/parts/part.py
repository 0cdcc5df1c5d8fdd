"""What every embedded part is to the code that starts it: a command, a probe and an address."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.processes import Command

PROBE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """One embedded server, prepared and not yet started."""

    command: Command
    """How to run it."""
    address: str
    """Where its clients find it, in the form its setting takes."""
    answers: Callable[[], bool]
    """Tells whether it serves requests now; never raises, never waits long."""


def ask(port: int, question: bytes, size: int) -> bytes:
    """Send bytes to a local server and give the first `size` of its answer, fewer if it has no more to say."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_SECONDS) as connection:
            connection.sendall(question)
            while len(answer) < size and (chunk := connection.recv(size - len(answer))):
                answer += chunk
    except OSError:
        return b""
    return answer
