"""The door that makes a PostgreSQL slow: sessions open as ever, and everything said in them takes longer."""

import time

import psycopg

from infra.bench.brake import braked
from infra.local.parts import Endpoints

SECONDS = 0.3


def took(connection: "psycopg.Connection[tuple[object]]", statement: str) -> float:
    """Seconds of one statement."""
    began = time.monotonic()
    connection.execute(statement)  # type: ignore[call-overload]
    return time.monotonic() - began


def test_every_statement_takes_longer_and_the_sessions_before_and_behind_it_do_not(parts: Endpoints) -> None:
    assert parts.database
    with braked(parts.database) as brake, psycopg.connect(brake.address, autocommit=True) as early:
        assert took(early, "select 1") < SECONDS
        brake.seconds = SECONDS
        began = time.monotonic()
        with psycopg.connect(brake.address, autocommit=True) as late:
            assert time.monotonic() - began < SECONDS, "a session opens as quickly as ever"
            for connection in (early, late):
                assert SECONDS <= took(connection, "select 1") < 2 * SECONDS
            long = f"select length('{'p' * 1_000_000}')"
            assert SECONDS <= took(early, long) < 2 * SECONDS, "a long statement is held once, not once a piece"
        brake.seconds = 0.0
        assert took(early, "select 1") < SECONDS


def test_a_server_that_is_not_there_refuses_behind_the_door_too() -> None:
    with braked("postgresql://nobody@127.0.0.1:9/nothing") as brake:
        began = time.monotonic()
        try:
            psycopg.connect(brake.address, connect_timeout=5)
        except psycopg.OperationalError:
            assert time.monotonic() - began < 4
        else:
            raise AssertionError("nobody is there")
