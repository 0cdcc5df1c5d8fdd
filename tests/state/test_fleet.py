"""Several members of one registry: they agree within a second, and one of them probes."""

from __future__ import annotations

import asyncio
import sys
import uuid
from contextlib import AsyncExitStack
from functools import partial

from shared.core.breaker import BreakerPolicy
from shared.core.failures import Failure
from shared.ports import BreakerState, Permit
from shared.state.breakers import RedisBreakers
from tests.state.conftest import Join
from tests.state.waiting import until


async def refused(breakers: RedisBreakers, name: str) -> bool:
    return not (await breakers.ask(name)).allowed


async def test_failures_spread_over_processes_add_up_and_all_hear_of_it(redis_url: str, join: Join) -> None:
    members = [await join(redis_url, f"analyze-{number}") for number in range(5)]
    for member in members:
        member.record("model:a", Failure.OVERLOADED)
    for member in members:
        await until(partial(refused, member, "model:a"), within=1.0)
    [report] = await members[0].reports()
    assert (report.state, report.failures, report.calls) == (BreakerState.OPEN, 5, 5)
    assert report.reason == "5 failures in a row, the last: overloaded"
    assert 20 < report.reopens_in <= 30


async def test_exactly_one_of_four_contenders_probes(redis_url: str, join: Join) -> None:
    policy = BreakerPolicy(recovery=0.2, lease=20.0)
    members = [await join(redis_url, f"analyze-{number}", policy) for number in range(4)]
    for _ in range(5):
        members[0].record("model:a", Failure.TIMEOUT)
    await until(lambda: refused(members[0], "model:a"))
    probes: list[Permit] = []

    async def contend() -> bool:
        permits = await asyncio.gather(*(member.ask("model:a") for member in members for _ in range(3)))
        probes.extend(permit for permit in permits if permit.probe)
        assert not any(permit.allowed and not permit.probe for permit in permits)
        return bool(probes)

    for member in members:
        await until(partial(refused, member, "model:a"))
    await until(contend)
    for _ in range(20):
        await contend()
    assert len(probes) == 1


async def test_a_probe_that_succeeds_closes_it_everywhere_and_one_that_fails_opens_it_again(
    redis_url: str, join: Join
) -> None:
    policy = BreakerPolicy(recovery=0.2, lease=20.0)
    one, two = await join(redis_url, "one", policy), await join(redis_url, "two", policy)
    for _ in range(5):
        one.record("model:a", Failure.TIMEOUT)
    await until(lambda: refused(two, "model:a"))
    await until(lambda: probing(one, "model:a"))
    one.record("model:a", Failure.CONNECTION)
    await until(lambda: said(two, "the probe failed: connection"))
    await until(lambda: probing(two, "model:a"))
    two.record("model:a", None)
    await until(lambda: said(one, "a call succeeded"))
    assert (await one.ask("model:a")) == Permit(allowed=True)
    changes = [(event.state, event.reason.partition("#")[0]) for event in await one.events()]
    assert changes == [
        ("closed", "a call succeeded"),
        ("half-open", "two"),
        ("open", "the probe failed: connection"),
        ("half-open", "one"),
        ("open", "5 failures in a row, the last: timeout"),
    ]


async def probing(breakers: RedisBreakers, name: str) -> bool:
    return (await breakers.ask(name)).probe


async def said(breakers: RedisBreakers, reason: str) -> bool:
    return any(report.reason == reason for report in await breakers.reports())


async def test_a_probe_whose_process_died_is_taken_over_after_its_lease(redis_url: str, join: Join) -> None:
    policy = BreakerPolicy(recovery=0.1, lease=0.3)
    one, two = await join(redis_url, "one", policy), await join(redis_url, "two", policy)
    for _ in range(5):
        one.record("model:a", Failure.TIMEOUT)
    await until(lambda: refused(two, "model:a"))
    await until(lambda: probing(one, "model:a"))
    assert await refused(two, "model:a")
    await until(lambda: probing(two, "model:a"))


async def test_an_operators_trip_holds_against_successes_and_time_until_it_is_reset(redis_url: str, join: Join) -> None:
    policy = BreakerPolicy(recovery=0.05, lease=0.05)
    one, two = await join(redis_url, "one", policy), await join(redis_url, "operator", policy)
    await two.trip("model:a", "the provider told us to stop")
    await until(lambda: refused(one, "model:a"), within=1.0)
    for _ in range(20):
        one.record("model:a", None)
        assert await refused(one, "model:a")
        await one.reports()
    [report] = await one.reports()
    assert report.state is BreakerState.OPEN
    assert report.reason.startswith("tripped by operator#")
    assert report.reason.endswith(": the provider told us to stop")
    await two.reset("model:a")
    await until(lambda: goes(one, "model:a"), within=1.0)


async def goes(breakers: RedisBreakers, name: str) -> bool:
    return (await breakers.ask(name)) == Permit(allowed=True)


async def test_two_prefixes_are_two_registries(redis_url: str, join: Join) -> None:
    async with AsyncExitStack() as others:
        other = await others.enter_async_context(
            RedisBreakers(redis_url, BreakerPolicy(), "other", f"test:{uuid.uuid4().hex}:")
        )
        one = await join(redis_url, "one")
        await one.trip("model:a", "test")
        assert list(await other.reports()) == []
        assert (await other.ask("model:a")).allowed


async def test_what_was_recorded_last_is_told_when_a_process_leaves(redis_url: str, join: Join) -> None:
    stays, prefix = await join(redis_url, "stays"), f"test:{uuid.uuid4().hex}:"
    async with RedisBreakers(redis_url, BreakerPolicy(), "leaves", prefix) as leaves:
        leaves.record("model:a", None)
    async with RedisBreakers(redis_url, BreakerPolicy(), "comes", prefix) as comes:
        [report] = await comes.reports()
        assert report.calls == 1
    assert stays.healthy


MEMBER = """
import asyncio, sys
from shared.core.breaker import BreakerPolicy
from shared.core.failures import Failure
from shared.state.breakers import RedisBreakers

async def main(url, prefix, who, failures):
    async with RedisBreakers(url, BreakerPolicy(), who, prefix) as breakers:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for _ in range(int(failures)):
            breakers.record("model:a", Failure.SERVER_ERROR)
        while (await breakers.ask("model:a")).allowed:
            await asyncio.sleep(0.01)
        print("open", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_of_their_own_agree_within_a_second(redis_url: str) -> None:
    prefix = f"test:{uuid.uuid4().hex}:"
    pipe = asyncio.subprocess.PIPE
    fleet = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MEMBER, redis_url, prefix, f"process-{number}", failures, stdin=pipe, stdout=pipe
        )
        for number, failures in enumerate("500")
    ]
    try:
        async with asyncio.timeout(30):
            for process in fleet:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"ready\n"
        for process in fleet:
            assert process.stdin is not None
            process.stdin.write(b"\n")
        async with asyncio.timeout(1.0):
            for process in fleet:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"open\n"
    finally:
        for process in fleet:
            if process.returncode is None:
                process.kill()
            await process.communicate()
