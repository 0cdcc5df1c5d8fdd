"""Responses that a plain one cannot be: half of a body and then no connection, a stream that stands still, silence."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.modelsim.faults import SILENT, Fault
from infra.modelsim.scripts import Played

ALIVE_SECONDS = 0.1
"""Seconds between two signs of life of a stream that stands still."""
ON_ITS_WAY = 0.05
"""Seconds for which what was sent is left alone before its connection is cut, or nobody would see that it began."""


class CutResponse(Response):
    """Half of a body, and then no connection."""

    def __init__(self, body: bytes | memoryview, cut: Callable[[], Response]) -> None:
        super().__init__(bytes(body), media_type="application/json")
        self.cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise the whole length, send half of it, cut."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: len(self.body) // 2]), "more_body": True})
        await asyncio.sleep(ON_ITS_WAY)
        self.cut()


class StreamResponse(Response):
    """A stream as it is played, to its end or to where the fault leaves it."""

    def __init__(self, stream: Played, fault: Fault | None, alive: bytes, cut: Callable[[], Response]) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self.stream, self.fault, self.alive, self.cut = stream, fault, alive, cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it event by event."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for event in self.stream.sent:
            await send({"type": "http.response.body", "body": event, "more_body": True})
        if self.fault is Fault.STREAM_CUT:
            await asyncio.sleep(ON_ITS_WAY)
            self.cut()
        elif self.fault in SILENT:
            await self._stand_still(receive, send)
        else:
            await send({"type": "http.response.body", "body": b""})

    async def _stand_still(self, receive: Receive, send: Send) -> None:
        """Show life and say nothing until the other side goes away."""
        gone = asyncio.ensure_future(until_given_up(receive))
        while not (await asyncio.wait({gone}, timeout=ALIVE_SECONDS))[0]:
            await send({"type": "http.response.body", "body": self.alive, "more_body": True})


async def until_given_up(receive: Receive) -> None:
    """Wait until the other side goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
