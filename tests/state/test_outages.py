"""Redis killed, hung, emptied or locked: every process goes on, says so, and comes back without a flip."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from shared.core.breaker import BreakerPolicy
from shared.core.errors import Misconfigured, Unavailable
from shared.core.failures import Failure
from shared.ports import BreakerState, Permit
from shared.state.breakers import RedisBreakers
from tests.state.conftest import Join
from tests.state.server import OwnRedis
from tests.state.waiting import until


def fail(breakers: RedisBreakers, name: str, times: int = 5) -> None:
    for _ in range(times):
        breakers.record(name, Failure.SERVER_ERROR)


async def refused(breakers: RedisBreakers, name: str) -> bool:
    return not (await breakers.ask(name)).allowed


async def allowed(breakers: RedisBreakers, name: str) -> Permit | None:
    permit = await breakers.ask(name)
    return permit if permit.allowed else None


async def states(breakers: RedisBreakers) -> dict[str, BreakerState]:
    return {report.name: report.state for report in await breakers.reports()}


async def test_a_killed_redis_leaves_open_open_and_closed_closed(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    one.record("model:good", None)
    fail(one, "model:bad")
    await until(lambda: refused(two, "model:bad"))
    own_redis.kill()
    await until(lambda: not one.healthy and not two.healthy)
    assert f"127.0.0.1:{own_redis.port} is away" in one.health
    for breakers in (one, two):
        assert await refused(breakers, "model:bad")
        assert (await breakers.ask("model:good")).allowed


async def test_without_redis_a_process_opens_its_own_breaker_and_probes_by_itself(
    own_redis: OwnRedis, join: Join
) -> None:
    one = await join(own_redis.url, "one", BreakerPolicy(recovery=0.2))
    own_redis.kill()
    await until(lambda: not one.healthy)
    fail(one, "model:a")
    assert await refused(one, "model:a")
    permit = await until(lambda: allowed(one, "model:a"))
    assert permit.probe
    assert await refused(one, "model:a")
    one.record("model:a", None)
    assert (await one.ask("model:a")).allowed


async def test_what_opened_without_redis_is_open_everywhere_after_it_is_back(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    own_redis.kill()
    await until(lambda: not one.healthy and not two.healthy)
    fail(one, "model:a")
    assert await refused(one, "model:a")
    own_redis.start()
    await until(lambda: one.healthy and two.healthy)
    await until(lambda: refused(two, "model:a"), within=1.0)
    assert await refused(one, "model:a")


async def test_a_hung_redis_holds_up_neither_the_loop_nor_a_caller(own_redis: OwnRedis, join: Join) -> None:
    one = await join(own_redis.url, "one", BreakerPolicy(recovery=0.1))
    fail(one, "model:a")
    await until(lambda: refused(one, "model:a"))
    own_redis.hang()
    try:
        # A loop that stood still for each answer of Redis would come round five times in this second.
        rounds, end = 0, time.monotonic() + 1.0
        while time.monotonic() < end:
            await asyncio.sleep(0)
            await one.ask("model:a")
            await one.ask("model:b")
            one.record("model:b", None)
            rounds += 1
        assert not one.healthy
        assert rounds > 100
    finally:
        own_redis.go_on()
    await until(lambda: one.healthy)


async def test_an_emptied_redis_is_filled_again_without_a_flip(own_redis: OwnRedis, join: Join) -> None:
    one, two = await join(own_redis.url, "one"), await join(own_redis.url, "two")
    fail(one, "model:open")
    await one.trip("model:tripped", "the provider announced an outage")
    await until(lambda: refused(two, "model:open"))
    own_redis.empty()
    three = await join(own_redis.url, "three")

    async def filled() -> bool:
        assert await refused(one, "model:open")
        assert await refused(two, "model:tripped")
        return await refused(three, "model:open") and await refused(three, "model:tripped")

    await until(filled, within=1.5)
    assert set((await states(three)).values()) == {BreakerState.OPEN}


async def test_a_redis_that_restarts_empty_gets_the_trips_back(own_redis: OwnRedis, join: Join) -> None:
    one = await join(own_redis.url, "one")
    await one.trip("model:a", "maintenance")
    own_redis.kill()
    await until(lambda: not one.healthy)
    own_redis.start()
    await until(lambda: one.healthy)
    late = await join(own_redis.url, "late")
    assert await refused(late, "model:a")
    [report] = await late.reports()
    assert "maintenance" in report.reason


async def test_a_reset_wins_over_what_a_process_decided_before_it_alone(own_redis: OwnRedis, join: Join) -> None:
    away = await join(own_redis.url, "away")
    own_redis.kill()
    await until(lambda: not away.healthy)
    fail(away, "model:a")
    own_redis.start()
    operator = await join(own_redis.url, "operator")
    await operator.trip("model:a", "look into it")
    await until(lambda: away.healthy)
    await operator.reset("model:a")
    await until(lambda: allowed(away, "model:a"), within=1.0)


async def test_a_process_starts_without_redis_and_joins_when_it_comes(tmp_path: Path, join: Join) -> None:
    redis = OwnRedis(tmp_path)
    one = await join(redis.url, "one")
    assert not one.healthy
    assert (await one.ask("model:a")).allowed
    one.record("model:a", None)
    redis.start()
    try:
        await until(lambda: one.healthy)
        assert one.health == ""
    finally:
        redis.kill()


async def test_an_operators_word_that_reaches_nobody_is_an_error(tmp_path: Path, join: Join) -> None:
    one = await join(OwnRedis(tmp_path).url, "one")
    with pytest.raises(Unavailable, match="does not answer"):
        await one.trip("model:a", "test")
    with pytest.raises(Unavailable):
        await one.events()


async def test_a_password_is_used_and_never_said(tmp_path: Path, join: Join) -> None:
    redis = OwnRedis(tmp_path, "--requirepass", "s3cret")
    redis.start()
    try:
        right = await join(redis.url.replace("//", "//:s3cret@"), "right")
        assert right.healthy
        wrong = await join(redis.url.replace("//", "//:wr0ng@"), "wrong")
        assert not wrong.healthy
        assert "wr0ng" not in wrong.health
        assert f"127.0.0.1:{redis.port}" in wrong.health
    finally:
        redis.kill()


def test_an_address_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(Misconfigured, match="'https'"):
        RedisBreakers("https://example.org", BreakerPolicy(), "one")


async def test_rubbish_in_redis_is_as_good_as_nothing(own_redis: OwnRedis, join: Join) -> None:
    one = await join(own_redis.url, "one")
    await one.trip("model:a", "test")
    own_redis.spoil()
    fail(one, "model:b")
    await until(lambda: refused(one, "model:b"))
    assert await refused(one, "model:a")
    late = await join(own_redis.url, "late")
    await until(lambda: refused(late, "model:a"), within=1.5)
    assert one.healthy
