"""The simulated provider on a port: for the supervisor as a process, for a test in its own loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.modelsim.app import ModelSim, Sockets, app

GRACE_SECONDS = 1
"""How long a shutdown waits for answers on their way."""


class QuietServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it, and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: uvicorn raises what it captured again at the end, and the exit status would be a signal's."""
        yield


def remembering(sockets: Sockets) -> type[H11Protocol]:
    """The HTTP protocol, with every open connection noted: only its transport can cut one, and ASGI hides it."""

    class Remembering(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client:
                sockets[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client:
                sockets.pop(self.client, None)

    return Remembering


@contextlib.asynccontextmanager
async def serving(sim: ModelSim, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve until the block ends; gives the address. Port 0 takes a free one."""
    # Without the protocol's number asyncio does not turn Nagle's algorithm off, and each second write waits 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        server = QuietServer(
            uvicorn.Config(
                app(sim),
                http=remembering(sim.sockets),
                log_config=None,
                log_level="warning",
                lifespan="off",
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        running = asyncio.create_task(server.serve([listener]))
        try:
            await server.up.wait()
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
