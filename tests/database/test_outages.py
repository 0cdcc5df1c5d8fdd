"""PostgreSQL away, frozen, slow or restarted: always Unavailable, never an endless wait, and whole again afterwards."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from shared.core.errors import Unavailable
from shared.database.pool import DatabasePolicy, open_database
from shared.database.results import ResultsTable
from tests.database.rows import ROW

BRISK = DatabasePolicy(connections=2, connect_seconds=2, wait_seconds=0.4, statement_seconds=0.3)


async def test_a_server_that_refuses_connections_is_unavailable_within_the_wait() -> None:
    began = time.monotonic()
    async with open_database("postgresql://nobody@127.0.0.1:9/nothing", policy=BRISK) as database:
        with pytest.raises(Unavailable, match="PostgreSQL is away") as raised:
            await database.answers()
    assert raised.value.dependency == "database"
    assert time.monotonic() - began < 5


@contextmanager
def frozen_server() -> Iterator[str]:
    """Something that accepts connections, by its backlog, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/nothing"


async def test_a_server_that_accepts_and_never_answers_is_unavailable() -> None:
    with frozen_server() as url:
        async with open_database(url, policy=BRISK) as database:
            with pytest.raises(Unavailable):
                await database.answers()


async def test_a_statement_that_takes_too_long_is_unavailable_and_the_next_one_works(url: str) -> None:
    async with open_database(url, policy=BRISK) as database:
        with pytest.raises(Unavailable, match="statement timeout"):
            await database.rows("select pg_sleep(20)")
        assert await database.answers()


async def test_an_upsert_that_waits_for_a_lock_is_unavailable_and_stores_nothing(url: str) -> None:
    with psycopg.connect(url) as other:
        other.execute("lock table results in exclusive mode")
        async with open_database(url, policy=BRISK) as database:
            with pytest.raises(Unavailable):
                await ResultsTable(database, "documents").upsert([ROW])
            other.rollback()
            assert await ResultsTable(database, "documents").upsert([ROW]) == ["stored"]


async def test_more_work_than_connections_waits_and_then_is_unavailable(url: str) -> None:
    async with open_database(url, policy=BRISK) as database, database.work(), database.work():
        with pytest.raises(Unavailable):
            await database.answers()


async def test_what_work_met_with_is_told_until_it_goes_well_again(url: str) -> None:
    async with open_database(url, policy=BRISK) as database:
        assert await database.answers()
        assert database.health == ""
        with pytest.raises(Unavailable):
            await database.rows("select pg_sleep(20)")
        assert "statement timeout" in database.health
        assert await database.answers()
        assert database.health == ""


async def test_connections_that_died_with_the_server_are_not_handed_out(url: str) -> None:
    async with open_database(url) as database:
        mine = await database.rows("select pg_backend_pid() as pid")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s, 5000)", [mine[0]["pid"]])
        assert await database.answers()


async def test_a_connection_killed_in_the_middle_of_a_statement_is_unavailable(url: str) -> None:
    async with open_database(url, "victim") as database, database.work() as killer:
        sleeping = asyncio.create_task(database.rows("select pg_sleep(8), 'asleep'"))
        kill = """select pg_terminate_backend(pid) from pg_stat_activity
                  where application_name = 'penstock victim' and query like '%%asleep%%' and pid <> pg_backend_pid()"""
        deadline = time.monotonic() + 5
        while not sleeping.done() and time.monotonic() < deadline:
            await killer.execute(kill)
            await asyncio.wait([sleeping], timeout=0.02)
        with pytest.raises(Unavailable):
            await sleeping
