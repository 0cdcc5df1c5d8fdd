"""A schema of its own, migrated, for each test: tests share a PostgreSQL and nothing in it."""

import uuid
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from infra.local.parts import Endpoints
from shared.database.migrate import migrate
from shared.database.pool import Database, open_database


@pytest.fixture
def empty_url(parts: Endpoints) -> Iterator[str]:
    """Address of a schema without tables."""
    assert parts.database
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(parts.database, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
        yield f"{parts.database}?options=-csearch_path%3D{schema}"
        connection.execute(f"drop schema {schema} cascade")


@pytest.fixture
def url(empty_url: str) -> str:
    """Address of a schema with Penstock's tables."""
    migrate(empty_url)
    return empty_url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open pool on it."""
    async with open_database(url, "tests") as opened:
        yield opened
