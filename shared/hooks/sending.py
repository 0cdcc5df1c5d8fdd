"""One request to one hook and what came of it: bounded in time and size, and led nowhere else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from shared.core.webhooks.again import Answer, seconds_of
from shared.core.webhooks.hook import Hook
from shared.core.webhooks.signature import signed_headers

CONNECT_SECONDS = 5.0
"""Longest wait for a connection."""
KEEP_SECONDS = 3.0
"""How long an idle connection is kept: many servers close theirs after 5 s."""
READ_BYTES = 2048
"""Most that is read of an answer. Its status says everything; the start of a refusal is for the operator."""
SAID = 200
"""Characters of a refusal that are kept."""
AGENT = "Penstock-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends to one hook. It has connections of its own, so no other hook waits for one of them."""

    hook: Hook
    """The receiver."""
    client: httpx.AsyncClient
    """Its connections."""

    async def send(self, message_id: str, body: str) -> Answer:
        """Try once; whatever happens is an answer."""
        headers = {
            "content-type": "application/json",
            "user-agent": AGENT,
            # A small answer that unpacks to a large one is none.
            "accept-encoding": "identity",
            **signed_headers(self.hook.secrets, message_id, int(time.time()), body),
        }
        try:
            # Around all of it: the client's own times begin anew with every byte that comes.
            async with asyncio.timeout(self.hook.patience.timeout):
                request = self.client.build_request("POST", self.hook.url, content=body.encode(), headers=headers)
                response = await self.client.send(request, stream=True)
                try:
                    return await self._answer(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Answer(0, f"no whole answer within {self.hook.patience.timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            return Answer(0, f"{type(error).__name__}: {str(error)[:SAID]}".rstrip(": "))

    async def _answer(self, response: httpx.Response) -> Answer:
        status, start = response.status_code, b""
        try:
            async for chunk in response.aiter_raw():
                start += chunk[:READ_BYTES]
                if len(start) >= READ_BYTES:
                    break
        except httpx.HTTPError:
            # The status was there first, and is all that counts.
            pass
        if 200 <= status < 300:
            return Answer(status, "")
        if response.has_redirect_location:
            return Answer(status, f"status {status}: redirections are not followed: name the right address")
        most = self.hook.patience.hours * 3600
        after = seconds_of(response.headers.get("retry-after", ""), datetime.now(UTC), most)
        text = "".join(c if c.isprintable() else " " for c in start.decode("utf-8", "replace"))
        return Answer(status, f"status {status}: {text[:SAID]}".rstrip(": "), after)


@asynccontextmanager
async def open_sender(hook: Hook) -> AsyncIterator[Sender]:
    """The way to one hook, for the length of a block."""
    limits = httpx.Limits(
        max_connections=hook.at_once, max_keepalive_connections=hook.at_once, keepalive_expiry=KEEP_SECONDS
    )
    times = httpx.Timeout(hook.patience.timeout, connect=min(CONNECT_SECONDS, hook.patience.timeout))
    async with httpx.AsyncClient(limits=limits, timeout=times, follow_redirects=False) as client:
        yield Sender(hook, client)
