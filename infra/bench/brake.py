"""A slow PostgreSQL: a door before a real one that holds everything said in a session for a while.

Neither the server nor its clients know of it, so all are slowed alike: results, ledger, pools that check a connection.
What opens a session passes at once: a server that also takes long to let anybody in is as good as away.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE = 65_536
OPENING = (b"\0", b"p")
"""How messages begin that open a session: start and encryption request have no letter before their length, and the
password's is `p`. A cancellation looks like a start, and passes too."""


@dataclass
class Brake:
    """The door of one server."""

    server: str
    """Address of the server, as a client is given it."""
    seconds: float = 0.0
    """How long everything is held; may be changed at any time."""
    port: int = 0
    """Where it listens."""

    @property
    def address(self) -> str:
        """Address by which a client comes through the door."""
        given = urlsplit(self.server)
        return given._replace(netloc=given.netloc.replace(f":{given.port}", f":{self.port}")).geturl()

    async def passes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        given = urlsplit(self.server)
        try:
            back, forth = await asyncio.open_connection(given.hostname, given.port)
        except OSError:
            writer.close()
            return
        ways = [asyncio.ensure_future(self._held(reader, forth)), asyncio.ensure_future(handed(back, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            for side in (writer, forth):
                side.transport.abort()

    async def _held(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on what a client says, each piece when it is due: a long statement is held as long as a short one."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        handing = asyncio.ensure_future(when_due(pieces, writer))
        loop, opening = asyncio.get_running_loop(), True
        try:
            while piece := await reader.read(PIECE):
                opening = opening and piece.startswith(OPENING)
                pieces.put_nowait((loop.time() + (0 if opening else self.seconds), piece))
        except OSError:
            return
        finally:
            handing.cancel()


async def when_due(pieces: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
    """Write each piece at its time."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(due - loop.time(), 0))
            writer.write(piece)
            await writer.drain()


async def handed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes, at once."""
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


@contextmanager
def braked(server: str) -> Iterator[Brake]:
    """A door before a server, open for the length of a block, on a thread of its own."""
    brake, opened, ended = Brake(server), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        door = await asyncio.start_server(brake.passes, "127.0.0.1", 0)
        brake.port = door.sockets[0].getsockname()[1]
        opened.set()
        await ended.wait()
        # Not `wait_closed`: whoever is connected still would keep it open for ever.
        door.close()
        connected = asyncio.all_tasks() - {asyncio.current_task()}
        for task in connected:
            task.cancel()
        await asyncio.gather(*connected, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next round

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        thread = threading.Thread(target=runner.run, args=(serve(),), daemon=True)
        thread.start()
        opened.wait(10)
        try:
            yield brake
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(10)
