"""PostgreSQL killed, frozen or slow under paid calls: the spool takes over, nothing is lost, and all is drained."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from infra.bench.brake import braked
from infra.bench.homes import temporary_home
from shared.core.errors import Misconfigured
from shared.core.ledger import Begun, Intent, State
from shared.database.group import PATIENCE
from shared.database.ledger import CallsTable
from shared.database.migrate import migrate
from shared.database.pool import open_database
from shared.runtime.paying.ledger import BRISK, CallLedger
from shared.runtime.paying.spool import Spool
from shared.state.recorded import RecordedCopies
from tests.database.server import OwnPostgres
from tests.ledgers import Silent, again, ended, intent_of
from tests.state.server import OwnRedis
from tests.state.waiting import until

NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"


@asynccontextmanager
async def process(
    url: str, folder: Path, watch: Silent | None = None, copies: RecordedCopies | None = None
) -> AsyncIterator[CallLedger]:
    """The ledger as a process of the stage has it."""
    spool = Spool(folder, "documents.analyze", "one")
    spool.open()
    async with open_database(url, "ledger", BRISK) as database:
        ledger = CallLedger(CallsTable(database, "one"), spool, copies, watch or Silent())
        if spool.lines:
            ledger.recover()
        yield ledger
        await ledger.close()
        spool.close()


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    """A server that the tests of this file may treat as they like."""
    with temporary_home() as home:
        postgres = OwnPostgres(home)
        postgres.start()
        migrate(postgres.url)
        try:
            yield postgres
        finally:
            postgres.kill()


def left_in(folder: Path) -> list[Path]:
    """Files of spools."""
    return list(folder.iterdir())


def states(url: str) -> dict[str, int]:
    """How many rows of each state there are."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute("select state, count(*) from calls group by state").fetchall())


async def test_a_server_killed_and_restarted_under_load_costs_no_call_its_record(
    server: OwnPostgres, tmp_path: Path
) -> None:
    watch, waits, goes_on = Silent(), [], True
    done: list[Intent] = []

    async def caller(ledger: CallLedger, number: int) -> None:
        while goes_on:
            one = intent_of(f"load {number} {len(done)}")
            began = time.monotonic()
            assert (await ledger.begin(one)).found is None
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0)  # the call
            await ledger.end(ended(one))
            done.append(one)

    async with process(server.url, tmp_path, watch) as ledger:
        callers = [asyncio.create_task(caller(ledger, number)) for number in range(50)]
        for _ in range(2):
            before = len(done)
            await until(lambda before=before: len(done) > before + 500, 30)
            await asyncio.to_thread(server.kill)
            during = len(done)
            await until(lambda during=during: len(done) > during + 500, 30)
            assert "PostgreSQL is away" in ledger.health
            await asyncio.to_thread(server.start)
            await until(lambda: ledger.health == "", 30)
        goes_on = False
        await asyncio.gather(*callers)
        again_begun = await asyncio.gather(*(ledger.begin(again(one)) for one in done))
    assert all(begun.found and begun.found.state is State.ACCEPTED for begun in again_begun)
    assert states(server.url) == {"accepted": len(done)}
    assert watch.repeats == []
    assert max(waits) < 4
    assert statistics.median(waits) < 0.5, "only those that met the outage waited for it"
    assert left_in(tmp_path) == []


async def test_while_it_is_away_nobody_pays_a_timeout(tmp_path: Path) -> None:
    async with process(NOWHERE, tmp_path) as ledger:
        await ledger.begin(intent_of("first"))
        began = time.monotonic()
        for number in range(50):
            await ledger.begin(intent_of(f"later {number}"))
        assert time.monotonic() - began < 2


async def test_a_table_that_is_locked_is_as_good_as_away_and_takes_everything_afterwards(
    url: str, tmp_path: Path
) -> None:
    async with process(url, tmp_path) as ledger:
        with psycopg.connect(url) as other:
            other.execute("lock table calls in exclusive mode")
            began = time.monotonic()
            intents = [intent_of(f"locked {number}") for number in range(40)]
            assert await asyncio.gather(*map(ledger.begin, intents)) == [Begun()] * 40
            assert time.monotonic() - began < 3
            began = time.monotonic()
            await asyncio.gather(*(ledger.end(ended(one)) for one in intents))
            assert time.monotonic() - began < 1
            assert "this process only" in ledger.health
            other.rollback()
        await until(lambda: ledger.health == "", 20)
        found = await asyncio.gather(*(ledger.begin(again(one)) for one in intents))
        assert all(one.found for one in found)
    assert states(url) == {"accepted": 40}


@pytest.mark.parametrize("seconds", [0.4, 2.0])
async def test_a_server_that_is_slow_costs_a_call_no_more_than_patience_and_no_record(
    url: str, tmp_path: Path, seconds: float
) -> None:
    """At 0.4 s it comes and goes: slower than anybody waits for, and quick enough to take what is in the spool."""
    watch, waits, goes_on = Silent(), [], True
    done: list[Intent] = []

    async def caller(ledger: CallLedger, number: int) -> None:
        while goes_on:
            one, began = intent_of(f"slow {number} {len(done)}"), time.monotonic()
            assert (await ledger.begin(one)).found is None
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0)  # the call
            began = time.monotonic()
            await ledger.end(ended(one))
            waits.append(time.monotonic() - began)
            done.append(one)

    with braked(url) as brake:
        async with process(brake.address, tmp_path, watch) as ledger:
            callers = [asyncio.create_task(caller(ledger, number)) for number in range(20)]
            await until(lambda: len(done) > 50, 30)
            brake.seconds = seconds
            await until(lambda: "this process only" in ledger.health, 30)
            slow = len(done)
            await until(lambda: len(done) > slow + 200, 30)
            goes_on = False
            await asyncio.gather(*callers)
            brake.seconds = 0.0
            await until(lambda: ledger.health == "", 30)
            found = await asyncio.gather(*(ledger.begin(again(one)) for one in done))
    assert all(begun.found and begun.found.state is State.ACCEPTED for begun in found)
    assert states(url) == {"accepted": len(done)}
    assert watch.repeats == []
    assert max(waits) < 3 * PATIENCE
    assert left_in(tmp_path) == []


async def test_what_one_life_left_in_the_spool_the_next_one_knows_and_drains(url: str, tmp_path: Path) -> None:
    watch = Silent()
    paid, open_call, refused = (intent_of(f"left {number}") for number in range(3))
    async with process(NOWHERE, tmp_path) as ledger:
        for one in (paid, open_call, refused):
            await ledger.begin(one)
        await ledger.end(ended(paid))
        await ledger.end(ended(refused, State.REJECTED))
    # Away still: the next life has only the file.
    async with process(NOWHERE, tmp_path, watch) as ledger:
        assert (await ledger.begin(again(paid))).found
        assert (await ledger.begin(again(refused))).found
        assert await ledger.begin(again(open_call)) == Begun(repeat=True)
    assert [one.fingerprint for one in watch.repeats] == [open_call.fingerprint]
    async with process(url, tmp_path) as ledger:
        await until(lambda: ledger.health == "", 20)
    assert states(url) == {"accepted": 1, "rejected": 1, "intent": 1}
    with psycopg.connect(url) as connection:
        assert connection.execute("select sum(repeats), sum(cost_usd) from calls").fetchone() == (
            1,
            pytest.approx(0.008),
        )


async def test_a_call_made_elsewhere_meanwhile_is_told_as_a_repeat_when_the_spool_is_drained(
    url: str, tmp_path: Path
) -> None:
    watch = Silent()
    one = intent_of("elsewhere")
    async with process(url, tmp_path / "other") as other:
        await other.begin(one)
        await other.end(ended(one))
    with psycopg.connect(url) as lock:
        lock.execute("lock table calls in exclusive mode")
        async with process(url, tmp_path, watch) as ledger:
            assert await ledger.begin(again(one)) == Begun()
            lock.rollback()
            await until(lambda: ledger.health == "", 20)
    assert [repeat.fingerprint for repeat in watch.repeats] == [one.fingerprint]


async def test_a_drain_that_was_not_noted_tells_nothing_twice(url: str, tmp_path: Path) -> None:
    one = intent_of("twice")
    second = again(one, "documents.analyze/0/99")
    async with process(NOWHERE, tmp_path) as ledger:
        await ledger.begin(one)
        await ledger.end(ended(one, State.REJECTED))
        await ledger.begin(second)
        await ledger.end(ended(second))
    [path] = left_in(tmp_path)
    kept = path.read_bytes()
    for _ in range(2):
        watch = Silent()
        async with process(url, tmp_path, watch) as ledger:
            await until(lambda ledger=ledger: ledger.health == "", 20)
        assert watch.repeats == []
        path.write_bytes(kept)
    with psycopg.connect(url) as connection:
        row = connection.execute("select state, repeats, cost_usd, ended from calls").fetchone()
    assert row == ("accepted", 0, pytest.approx(0.008), [one.ticket, second.ticket])


async def test_a_copy_in_redis_serves_another_process_while_postgresql_is_away(url: str, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    redis = OwnRedis(tmp_path / "redis")
    redis.start()
    try:
        one, refused = intent_of("copied"), intent_of("not copied")
        async with RecordedCopies(redis.url) as copies, process(url, tmp_path / "a", copies=copies) as ledger:
            for each, state in ((one, State.ACCEPTED), (refused, State.REJECTED)):
                await ledger.begin(each)
                await ledger.end(ended(each, state))
        async with RecordedCopies(redis.url) as copies, process(NOWHERE, tmp_path / "b", copies=copies) as ledger:
            found = (await ledger.begin(again(one))).found
            assert found == replace(ended(one), intent=one)
            assert (await ledger.begin(again(refused))).found is None
            redis.hang()
            began = time.monotonic()
            for number in range(20):
                assert (await ledger.begin(intent_of(f"hung {number}"))).found is None
            assert time.monotonic() - began < 2
            redis.go_on()
    finally:
        redis.kill()


async def test_a_database_without_the_table_is_our_own_mistake(empty_url: str, tmp_path: Path) -> None:
    async with process(empty_url, tmp_path) as ledger:
        with pytest.raises(Misconfigured, match="penstock up"):
            await ledger.begin(intent_of("nowhere"))
