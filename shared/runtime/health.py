"""`/health/live`, `/health/ready` and `/metrics` of a service, and the server for them and a service's own doors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route


@dataclass(frozen=True, slots=True)
class Health:
    """What a service says of itself."""

    ready: bool
    """It can take work."""
    weaker: Mapping[str, str]
    """Guarantee that is weaker at the moment, to why; empty when all is well."""
    facts: Mapping[str, Any]
    """What else is worth knowing."""


def routes(look: Callable[[], Health], exposition: Callable[[], Awaitable[bytes]]) -> Sequence[BaseRoute]:
    """The three routes that every service has."""

    async def live(request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(request: Request) -> Response:
        health = look()
        body = {"ready": health.ready, "weaker": dict(health.weaker), **health.facts}
        return JSONResponse(body, status_code=200 if health.ready else 503)

    async def metrics(request: Request) -> Response:
        return Response(await exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]


@asynccontextmanager
async def serving(app: Starlette, port: int, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve for the length of a block; gives the port, a free one where 0 was asked for."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, log_level="warning", lifespan="off", access_log=False
    )
    listener = config.bind_socket()
    server = Unsignalled(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


class Unsignalled(uvicorn.Server):
    """A server that leaves signals to the process it is a part of."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Capture none."""
        return nullcontext()
