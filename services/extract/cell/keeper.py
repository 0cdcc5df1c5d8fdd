"""The service's side of the zygote: starts it, asks it for workers, hears how they end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from services.extract.cell.verdict import Exit

_ROOT = Path(__file__).resolve().parents[3]
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_ZYGOTE = "services.extract.cell.zygote"
_START_SECONDS = 60.0
_LOST = Exit(-signal.SIGKILL)
_GONE = "the process that workers are forked from has ended; try the document again"

_Birth = tuple[int, asyncio.Future[Exit]]


class ZygoteLost(Exception):
    """The process that workers come from cannot be started or has ended."""


@dataclass(slots=True)
class Worker:
    """A living worker as the service sees it."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: asyncio.Future[Exit]
    documents: int = 0
    """How many documents it has read."""


class Keeper:
    """Owns one zygote and starts another when it is lost."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._orders = count()
        self._born: dict[int, asyncio.Future[_Birth]] = {}
        self._ends: dict[int, asyncio.Future[Exit]] = {}

    async def spawn(self, memory: int) -> Worker:
        """Start a worker with a limit of address space in bytes."""
        ours, theirs = socket.socketpair()
        # Closed on any way out but success: a worker whose connection closes ends by itself.
        with contextlib.ExitStack() as connections:
            connections.enter_context(ours)
            # One order at a time: a stream of messages gives descriptors no boundary of their own.
            with theirs:
                async with self._starting:
                    if self._closed:
                        raise ZygoteLost("the sandbox is closed; read no more documents through it")
                    if self._control is None:
                        await self._start()
                    pid, ended = await self._order(memory, theirs)
            reader, writer = await asyncio.open_connection(sock=ours)
            connections.pop_all()
            return Worker(pid, reader, writer, ended)

    def kill(self, worker: Worker) -> None:
        """Kill a worker with everything it started; returns at once."""
        worker.writer.close()
        if self._control is not None and not worker.ended.done():
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"kill": worker.pid}).encode() + b"\n")

    async def close(self) -> None:
        """End the zygote and with it all workers."""
        self._closed = True
        if self._control is not None:
            # Half a close: it reads as the end on the other side while its last reports still come through.
            self._control.shutdown(socket.SHUT_WR)
        if self._listener is not None:
            await self._listener
        if self._process is not None:
            await self._process.wait()

    async def _start(self) -> None:
        with contextlib.ExitStack() as connections:
            control, theirs = socket.socketpair()
            connections.enter_context(control)
            control.setblocking(False)
            with theirs:
                self._process = await _execute(theirs)
            try:
                async with asyncio.timeout(_START_SECONDS):
                    ready = await _receive(asyncio.get_running_loop(), control)
            except TimeoutError:
                ready = b""
            if not ready:
                # The socket closes on the way out, and a zygote without it ends.
                raise ZygoteLost(f"{sys.executable} -m {_ZYGOTE} does not start; run it to see why")
            connections.pop_all()
        self._control = control
        self._listener = asyncio.create_task(self._listen(control))

    async def _order(self, memory: int, theirs: socket.socket) -> _Birth:
        if self._control is None:
            raise ZygoteLost(_GONE)
        number = next(self._orders)
        born: asyncio.Future[_Birth] = asyncio.get_running_loop().create_future()
        self._born[number] = born
        try:
            order = json.dumps({"id": number, "spawn": memory}).encode() + b"\n"
            socket.send_fds(self._control, [order], [theirs.fileno()])
        except OSError as error:
            raise ZygoteLost(f"the process that workers are forked from does not listen ({error})") from error
        return await born

    async def _listen(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        rest = b""
        while data := await _receive(loop, control):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))
        self._control = None
        control.close()
        for born in self._born.values():
            if not born.done():
                born.set_exception(ZygoteLost(_GONE))
        for ended in self._ends.values():
            ended.set_result(_LOST)
        self._born.clear()
        self._ends.clear()

    def _hear(self, message: dict[str, Any]) -> None:
        if "id" in message:
            born = self._born.pop(message["id"])
            ended = self._ends[message["pid"]] = asyncio.get_running_loop().create_future()
            if not born.done():
                born.set_result((message["pid"], ended))
        else:
            self._ends.pop(message["pid"]).set_result(Exit(message["code"], message["peak"]))


async def _execute(control: socket.socket) -> asyncio.subprocess.Process:
    """Start a zygote; its environment is a short list, for what parses hostile files has no business with keys."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)]), "OMP_NUM_THREADS": "1"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _ZYGOTE), stdin=control.fileno(), env=environment, start_new_session=True
    )


async def _receive(loop: asyncio.AbstractEventLoop, control: socket.socket) -> bytes:
    try:
        return await loop.sock_recv(control, 65_536)
    except OSError:
        return b""
