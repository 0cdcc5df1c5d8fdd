"""What the tests of the registry share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from infra.local.parts import Endpoints
from shared.core.breaker import BreakerPolicy
from shared.state.breakers import RedisBreakers
from tests.state.server import OwnRedis

POLICY = BreakerPolicy(threshold=5, recovery=30.0, window=10.0, lease=20.0)

Join = Callable[..., Awaitable[RedisBreakers]]


@pytest.fixture(scope="session")
def redis_url(parts: Endpoints) -> str:
    """The Redis that all tests share; each has a prefix of its own in it."""
    assert parts.redis
    return parts.redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    """A running server that the test may treat as it likes."""
    redis = OwnRedis(tmp_path)
    try:
        redis.start()
        yield redis
    finally:
        redis.kill()


@pytest.fixture
async def join() -> AsyncIterator[Join]:
    """Open members of one registry of the test's own; all are closed at its end."""
    prefix = f"test:{uuid.uuid4().hex}:"
    async with AsyncExitStack() as members:

        async def open_member(url: str, who: str, policy: BreakerPolicy = POLICY) -> RedisBreakers:
            return await members.enter_async_context(RedisBreakers(url, policy, who, prefix))

        yield open_member
