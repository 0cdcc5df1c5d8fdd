"""A slow PostgreSQL: a door before a real one that holds everything said in a session for a while.

Neither the server nor its clients know of it, so all are slowed alike: results, ledger, pools that check a connection.
What opens a session passes at once: a server that also takes long to let anybody in is as good as away.
"""

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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
    _closes: asyncio.Event = field(default_factory=asyncio.Event)

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
        ways = [self._held(reader, forth), handed(back, writer), self._closes.wait()]
        going = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
        for way in going:
            way.cancel()
        await asyncio.wait(going)
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

    async def serve(self, opened: "queue.SimpleQueue[asyncio.AbstractEventLoop]") -> None:
        """Listen until it closes; tells once it does, and on which loop."""
        door = await asyncio.start_server(self.passes, "127.0.0.1", 0)
        self.port = door.sockets[0].getsockname()[1]
        opened.put(asyncio.get_running_loop())
        await self._closes.wait()
        # Not `wait_closed`: whoever is connected still would keep it open for ever.
        door.close()
        while connected := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(connected)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next round

    def close(self) -> None:
        """End every connection, on the loop's own thread."""
        self._closes.set()


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
    brake, opened = Brake(server), queue.SimpleQueue[asyncio.AbstractEventLoop]()
    thread = threading.Thread(target=lambda: asyncio.run(brake.serve(opened)), daemon=True)
    thread.start()
    loop = opened.get(timeout=10)
    try:
        yield brake
    finally:
        loop.call_soon_threadsafe(brake.close)
        thread.join(10)
