"""The process that workers are forked from: everything loaded, nothing running.

A fork of the service itself would copy the locks of Kafka's threads in whatever state they are; a fresh Python per
worker costs a second. This process is started by exec, has one thread, loads the parsers once and forks in 6 ms.

    in    {"id": n, "spawn": memory} with the worker's socket attached · {"kill": pid}
    out   {"id": n, "pid": p} · {"pid": p, "code": c, "peak": bytes}

It ends when the service closes the control socket or dies, and takes every worker with it.
"""

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from typing import Any

from services.extract.cell import worker

_DIE_WITH_PARENT = 1


@dataclass(frozen=True, slots=True)
class Hatched:
    """What a newborn worker knows."""

    connection: socket.socket
    """Where its documents come from."""
    memory: int
    """Its limit of address space, in bytes."""


@dataclass(slots=True)
class Nest:
    """The living workers and the way to speak about them."""

    control: socket.socket
    alive: set[int] = field(default_factory=set)

    def say(self, **message: Any) -> None:
        """Send one line to the service; if it is gone, the control socket says so next."""
        with contextlib.suppress(OSError):
            self.control.sendall(json.dumps(message).encode() + b"\n")

    def kill(self, pid: int) -> None:
        """Kill a worker and what it started; only the parent can do so without hitting a reused pid."""
        if pid not in self.alive:
            return
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def bury(self) -> None:
        """Collect the dead and report how each ended."""
        while self.alive:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            self.alive.discard(pid)
            peak = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
            self.say(pid=pid, code=os.waitstatus_to_exitcode(status), peak=peak)


def tend(control: socket.socket) -> Hatched | None:
    """Serve the control socket; returns in every child with what it needs, and in the parent at the end.

    The child returns up to `main` instead of running here, so that an error it does not catch unwinds nothing of ours.
    """
    nest = Nest(control)
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                woken.recv(4_096)
                nest.bury()
            if control not in ready:
                continue
            data, descriptors, *_ = socket.recv_fds(control, 65_536, 16)
            if not data:
                break
            for line in data.splitlines():
                order = json.loads(line)
                if "kill" in order:
                    nest.kill(order["kill"])
                elif hatched := _fork(nest, order, descriptors.pop(0)):
                    return hatched
    for pid in nest.alive:
        nest.kill(pid)
    return None


def _fork(nest: Nest, order: dict[str, Any], descriptor: int) -> Hatched | None:
    """Fork a worker; its value in the child, None in the parent."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(descriptor)
        nest.alive.add(pid)
        nest.say(id=order["id"], pid=pid)
        return None
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)
    nest.control.close()
    return Hatched(socket.socket(fileno=descriptor), order["spawn"])


def main() -> None:
    """Tend the nest on standard input; in a child, become a worker."""
    control = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    control.sendall(b'{"ready": true}\n')
    if hatched := tend(control):
        worker.live(hatched.connection, hatched.memory)


if __name__ == "__main__":
    main()
