"""The registry itself: one script in Redis, one list of events, one channel of changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.core.breaker import BreakerEvent, BreakerPolicy
from shared.core.errors import Misconfigured, Unavailable
from shared.state import wire
from shared.state.wire import Answer, Command

PREFIX = "penstock:breaker:"
"""Beginning of every key; another one is another registry."""
SCRIPT = files("shared.state").joinpath("breaker.lua").read_text("utf-8")
"""The rules, as Redis runs them."""
PATIENCE = 0.2
"""Seconds for one answer of Redis on the wire."""
DEADLINE = 0.5
"""Seconds for a whole exchange, connection and script load included."""
LISTEN = 1.0
"""Seconds after which a listener looks up from a silent channel."""
AWAY = (RedisError, OSError, TimeoutError, ValueError)
"""What a Redis that is away, hung, refusing or talking nonsense raises."""


class Registry:
    """The connection to one registry. No call takes longer than `DEADLINE`; each raises one of `AWAY`."""

    def __init__(self, url: str, policy: BreakerPolicy, who: str, prefix: str = PREFIX) -> None:
        self.address = address(url)
        # No retry and a short patience: what waits for Redis here is a call that could have been decided locally.
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(SCRIPT)
        self._keys = [prefix + "names", prefix + "events"]
        self._channel = prefix + "changes"
        self._head: list[str] = [prefix + "state:", self._channel, wire.encode_policy(policy), who]

    async def tell(self, commands: Sequence[Command], everything: bool = False) -> tuple[int, list[Answer]]:
        """Run commands in one call: the server's time, and the state of every breaker named, or of every known one."""
        arguments = [*self._head, wire.encode_commands(commands), "1" if everything else "0"]
        return wire.decode_answers(await in_time(self._script(keys=self._keys, args=arguments)))

    async def events(self, limit: int) -> list[BreakerEvent]:
        """The newest changes, newest first. Raises Unavailable."""
        try:
            found = await in_time(self._redis.lrange(self._keys[1], 0, limit - 1))
            return [wire.decode_event(text) for text in found]
        except AWAY as error:
            raise self.unavailable(error) from error

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[Answer]]:
        """Every change from now on; what was missed before has to be read."""
        async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(self._channel)

            async def heard() -> AsyncIterator[Answer]:
                while True:
                    message = await channel.get_message(timeout=LISTEN)
                    if message is not None:
                        # whoever can reach Redis can write to the channel; the next comparison knows better
                        with suppress(ValueError):
                            yield wire.decode_change(message["data"])

            yield heard()

    def unavailable(self, error: Exception) -> Unavailable:
        """The sentence for somebody who needs the registry itself."""
        said = str(error) or type(error).__name__
        return Unavailable(
            "redis", f"breaker registry at {self.address} does not answer ({said}): start it, then retry"
        )

    async def __aenter__(self) -> "Registry":
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._redis.aclose()


async def in_time(asked: Awaitable[Any]) -> Any:
    """The answer, or TimeoutError after `DEADLINE`.

    In a task of its own, because redis-py sends with `asyncio.wait_for`, which on Python 3.11 can swallow a
    cancellation: a timeout around the call could be lost, and so could the cancellation of whoever waits for it.
    """
    task = asyncio.ensure_future(asked)
    try:
        done, _ = await asyncio.wait({task}, timeout=DEADLINE)
        if not done:
            raise TimeoutError(f"no answer within {DEADLINE} s")
        return task.result()
    finally:
        task.cancel()
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


def address(url: str) -> str:
    """Host and port, without the password. Raises Misconfigured where it is no address of a Redis."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise Misconfigured(f"redis_url begins with {parts.scheme!r}: write redis://, rediss:// or unix://")
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
