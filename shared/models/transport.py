"""One request to one provider and what came of it: the only file of the room that touches the network or a clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
from pydantic_core import from_json

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models import local
from shared.models.pace import exhausted
from shared.models.registry import Model
from shared.models.streams.assembly import Assembly, uncounted
from shared.models.streams.pace import Pace
from shared.models.wire import Reply, Request, Wire, failure_of_status, failure_of_transport, retry_after
from shared.models.wire_anthropic import AnthropicWire
from shared.models.wire_openai import OpenAIWire

WIRES: Mapping[str, Wire] = {"openai": OpenAIWire(), "anthropic": AnthropicWire()}
"""Every wire format by its name in the registry."""

CONNECT_SECONDS = 5.0
"""Longest wait for a connection; the call as a whole has its provider's timeout."""

KEEP_SECONDS = 3.0
"""How long an idle connection is kept. Many servers close theirs after 5 s: a request sent at that very moment is lost,
and would cost its document an attempt."""

REQUEST_ID = "x-client-request-id"
"""Header by which a request is named; OpenAI logs it, others pass over it."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
"""Errors after which nobody can bill anything."""

LARGEST_RESPONSE = 8 * 1024 * 1024
"""Most bytes of a response that are read: no answer is that long, a server gone mad is."""

LARGEST_STREAM = 4 * LARGEST_RESPONSE
"""The same of a stream, in which every token comes in some hundred bytes of framing."""

LINGER_SECONDS = 0.2
"""How long the end of a body is waited for once the answer is complete: only then can its connection be used again."""


@asynccontextmanager
async def open_client() -> AsyncIterator[httpx.AsyncClient]:
    """The one HTTP client of a process; its connections close with it."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=KEEP_SECONDS)
    async with httpx.AsyncClient(limits=limits, timeout=None) as client:
        yield client


def today() -> date:
    """The day whose prices hold, UTC."""
    return datetime.now(UTC).date()


async def send(
    client: httpx.AsyncClient, model: Model, prompt: Prompt, schema: Mapping[str, Any], name: str = ""
) -> tuple[Reply, int]:
    """Ask one model once; gives the reply and how many milliseconds it took. A failed call is a reply too.

    `name`: what the request is called on the provider's side, so that a line of its bill can be found again.
    """
    began = time.monotonic()
    if model.provider.wire == "local":
        reply = local.reply(prompt, schema)
    else:
        wire = WIRES[model.provider.wire]
        asked = len(prompt.system) + len(prompt.user)
        request = wire.request(model, prompt, schema)
        if name:
            request = replace(request, headers={**request.headers, REQUEST_ID: name})
        reply = uncounted(await _exchange(client, model, wire, request, Assembly(wire, asked)), asked)
    return reply, round((time.monotonic() - began) * 1000)


async def _exchange(client: httpx.AsyncClient, model: Model, wire: Wire, request: Request, assembly: Assembly) -> Reply:
    begun = False
    pace = Pace(model.provider, asyncio.get_running_loop().time(), streams=model.provider.stream)
    try:
        async with asyncio.timeout_at(pace.due) as limit:
            response = await client.send(_prepared(client, model, request), stream=True)
            begun = True
            # A server may answer whole all the same, and errors always come whole.
            stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            pace.streams = stream and response.status_code == 200
            limit.reschedule(pace.due)
            try:
                if pace.streams:
                    await _listen(response, assembly, pace, limit)
                else:
                    content = await _read(response)
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        if not assembly.complete:
            failure = failure_of_transport(error, begun=begun)
            where = f"{model.provider.name} at {model.provider.base_url}"
            lost = assembly.lost(failure, f"{where}: {_said(error, pace)}")
            # What was sent may be on the bill, whether or not anything of the answer was seen.
            return replace(lost, estimated=not isinstance(error, NEVER_SENT))
    if pace.streams:
        return replace(assembly.reply(), hold=exhausted(response.headers))
    return understood(wire, response.status_code, response.headers, content)


def _prepared(client: httpx.AsyncClient, model: Model, request: Request) -> httpx.Request:
    return client.build_request(
        "POST",
        model.provider.base_url + request.path,
        headers=dict(request.headers),
        json=request.body,
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
    )


def _said(error: Exception, pace: Pace) -> str:
    """What failed. A time that is over has no words of its own, and there are several of them."""
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection in {CONNECT_SECONDS:g} s"
    return str(error) or (pace.said if isinstance(error, TimeoutError) else type(error).__name__)


async def _listen(response: httpx.Response, assembly: Assembly, pace: Pace, limit: asyncio.Timeout) -> None:
    """Read a stream for as long as it keeps its pace; a broken one is left at once, for its rest is paid in vain."""
    size, now = 0, asyncio.get_running_loop().time
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > LARGEST_STREAM:
            raise httpx.ReadError(f"the stream is longer than {LARGEST_STREAM} bytes")
        if assembly.complete or not assembly.feed(chunk):
            continue
        if assembly.complete:
            limit.reschedule(now() + LINGER_SECONDS)
        elif assembly.over:
            return
        else:
            pace.last = now()
            limit.reschedule(pace.due)


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > LARGEST_RESPONSE:
            raise httpx.ReadError(f"the response is larger than {LARGEST_RESPONSE} bytes")
    return bytes(content)


def understood(wire: Wire, status: int, headers: Mapping[str, str], content: bytes) -> Reply:
    """A whole response as a reply; pure."""
    try:
        body = from_json(content)
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if status == 200 and not error:
        try:
            return replace(wire.reply(body), hold=exhausted(headers))
        except (LookupError, TypeError, ValueError, AttributeError):
            said = f"status 200, but no answer: {_start(content)}"
            return Reply(failure=Failure.SERVER_ERROR, message=said, estimated=True)
    error = error if isinstance(error, dict) else {"message": str(error or _start(content))}
    # A gateway whose own part went well answers 200, whatever became of the provider behind it.
    return Reply(
        failure=wire.fault(error) or (Failure.SERVER_ERROR if status == 200 else failure_of_status(status)),
        message=f"status {status}: {str(error.get('message'))[:300]}",
        after=retry_after(headers),
        hold=exhausted(headers),
    )


def _start(content: bytes) -> str:
    return repr(content[:120].decode("utf-8", "replace"))
