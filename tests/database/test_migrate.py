"""Migrations: once, by however many processes, and never on tables of a newer version."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.core.errors import Misconfigured, Unavailable
from shared.database.migrate import VERSION_TABLE, migrate
from shared.database.migrations.versions import v0001_tables
from shared.database.pool import open_database
from shared.database.results import ResultsTable


def test_migrating_again_changes_nothing(url: str) -> None:
    with psycopg.connect(url) as connection:
        before = connection.execute(f"select * from {VERSION_TABLE}").fetchall()
    migrate(url)
    with psycopg.connect(url) as connection:
        assert connection.execute(f"select * from {VERSION_TABLE}").fetchall() == before


def test_many_processes_and_threads_may_migrate_at_once(empty_url: str) -> None:
    program = f"from shared.database.migrate import migrate; migrate({empty_url!r})"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(migrate, [empty_url] * 3))
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with psycopg.connect(empty_url) as connection:
        assert connection.execute(f"select count(*) from {VERSION_TABLE}").fetchone() == (1,)


def test_tables_of_a_newer_version_are_left_alone_with_a_sentence(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"update {VERSION_TABLE} set version_num = '9999'")
    with pytest.raises(Misconfigured, match="a newer Penstock"):
        migrate(url)


def test_the_tables_of_the_first_version_are_upgraded_with_what_is_in_them(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute(v0001_tables.UPGRADE)
        connection.execute(f"create table {VERSION_TABLE} (version_num varchar(32) primary key)")
        connection.execute(f"insert into {VERSION_TABLE} values ('0001')")
        connection.execute("insert into submissions values ('documents', 'd1', 'acme', 1, '', '', '', now())")
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("select document_id from submissions").fetchall() == [("d1",)]
        assert connection.execute("select count(*) from calls").fetchone() == (0,)


def test_a_migration_without_postgresql_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="PostgreSQL is away"):
        migrate("postgresql://nobody@127.0.0.1:9/nothing")


async def test_a_table_that_is_not_there_names_the_remedy(empty_url: str) -> None:
    async with open_database(empty_url) as database:
        with pytest.raises(Misconfigured, match="penstock up"):
            await ResultsTable(database, "documents").find("d1")
