"""Every implementation of every port, under the names that the contract suites ask for.

A new implementation is one more entry in a table below; the suites then run against it too.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from infra.local.parts import Endpoints
from shared.blobs.store import open_blobs
from shared.core.breaker import BreakerPolicy
from shared.core.context import Blobs
from shared.core.results import Results
from shared.database.ledger import CallsTable
from shared.database.migrate import migrate
from shared.database.pool import open_database
from shared.database.results import ResultsTable
from shared.database.reviews import ReviewsTable
from shared.database.submissions import SubmissionsTable
from shared.memory.blobs import MemoryBlobs
from shared.memory.breakers import MemoryBreakers
from shared.memory.ledger import MemoryLedger
from shared.memory.results import MemoryResults
from shared.memory.reviews import MemoryReviews
from shared.memory.submissions import MemorySubmissions
from shared.ports import Breakers, Ledger, Reviews, StoredResults, Submissions
from shared.runtime.paying.ledger import BRISK, CallLedger
from shared.runtime.paying.spool import Spool
from shared.state.breakers import RedisBreakers
from tests.ledgers import Silent


class KeptResults(Results, StoredResults, Protocol):
    """Both sides of the table of results."""


class ToldBreakers(Breakers, Protocol):
    """Breakers that also tell their changes."""

    async def events(self, limit: int = 100) -> Any: ...


@dataclass(frozen=True)
class Place:
    """Where a test's implementation keeps its things: nothing is shared with another test."""

    request: pytest.FixtureRequest
    """Gives the servers, which are started only for those who need them."""
    name: str
    """A pipeline's name, or a prefix, that no other test has."""

    @property
    def folder(self) -> Path:
        """A folder."""
        folder: Path = self.request.getfixturevalue("tmp_path")
        return folder

    @asynccontextmanager
    async def table(self, kind: Callable[..., Any]) -> AsyncIterator[Any]:
        """A table of PostgreSQL."""
        async with open_database(self.request.getfixturevalue("postgres_url"), "tests") as database:
            yield kind(database, self.name)


@asynccontextmanager
async def made(port: Any) -> AsyncIterator[Any]:
    """What needs no closing."""
    yield port


Opens = Callable[[Place], AbstractAsyncContextManager[Any]]

BLOBS: dict[str, Opens] = {
    "memory": lambda place: made(MemoryBlobs()),
    "folder": lambda place: made(open_blobs((place.folder / "blobs").as_uri())),
}
SUBMISSIONS: dict[str, Opens] = {
    "memory": lambda place: made(MemorySubmissions()),
    "postgres": lambda place: place.table(SubmissionsTable),
}
REVIEWS: dict[str, Opens] = {
    "memory": lambda place: made(MemoryReviews(place.name)),
    "postgres": lambda place: place.table(ReviewsTable),
}
RESULTS: dict[str, Opens] = {
    "memory": lambda place: made(MemoryResults()),
    "postgres": lambda place: place.table(ResultsTable),
}


@asynccontextmanager
async def postgres_ledger(place: Place, url: str = "") -> AsyncIterator[Ledger]:
    """The ledger of a service, on PostgreSQL, or on whatever the address leads to."""
    async with open_database(url or place.request.getfixturevalue("postgres_url"), "tests", BRISK) as database:
        spool = Spool(place.folder / "spool", f"{place.name}.analyze", "one")
        ledger = CallLedger(CallsTable(database, "one"), spool, None, Silent())
        yield ledger
        await ledger.close()
        spool.close()


NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"
LEDGERS: dict[str, Opens] = {
    "memory": lambda place: made(MemoryLedger()),
    "postgres": postgres_ledger,
    "spool": lambda place: postgres_ledger(place, NOWHERE),
}

Member = Callable[[str, BreakerPolicy], Awaitable[ToldBreakers]]


@asynccontextmanager
async def memory_members(place: Place) -> AsyncIterator[Member]:
    """Members of a registry in memory."""
    members: list[MemoryBreakers] = []

    async def member(who: str, policy: BreakerPolicy) -> ToldBreakers:
        members.append(members[0].another(who) if members else MemoryBreakers(policy, who))
        return members[-1]

    yield member


@asynccontextmanager
async def redis_members(place: Place) -> AsyncIterator[Member]:
    """Members of a registry in Redis."""
    parts: Endpoints = place.request.getfixturevalue("parts")
    assert parts.redis
    async with AsyncExitStack() as members:

        async def member(who: str, policy: BreakerPolicy) -> ToldBreakers:
            return await members.enter_async_context(RedisBreakers(parts.redis or "", policy, who, f"{place.name}:"))

        yield member


BREAKERS: dict[str, Opens] = {"memory": memory_members, "redis": redis_members}


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """A place of the test's own."""
    return Place(request, f"test_{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def postgres_url(parts: Endpoints) -> Iterator[str]:
    """A migrated schema for all contract suites; each test has a pipeline of its own in it."""
    assert parts.database
    schema = f"contract_{uuid.uuid4().hex}"
    with psycopg.connect(parts.database, autocommit=True) as connection:
        connection.execute(f"create schema {schema}")
        url = f"{parts.database}?options=-csearch_path%3D{schema}"
        migrate(url)
        yield url
        connection.execute(f"drop schema {schema} cascade")


@pytest.fixture(params=BLOBS)
async def blobs(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Blobs]:
    async with BLOBS[request.param](place) as opened:
        yield opened


@pytest.fixture(params=SUBMISSIONS)
async def submissions(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Submissions]:
    async with SUBMISSIONS[request.param](place) as opened:
        yield opened


@pytest.fixture(params=REVIEWS)
async def reviews(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Reviews]:
    async with REVIEWS[request.param](place) as opened:
        yield opened


@pytest.fixture(params=RESULTS)
async def results(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[KeptResults]:
    async with RESULTS[request.param](place) as opened:
        yield opened


@pytest.fixture(params=LEDGERS)
async def ledger(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Ledger]:
    async with LEDGERS[request.param](place) as opened:
        yield opened


@pytest.fixture(params=BREAKERS)
async def member(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Member]:
    """Opens members of one registry of breakers."""
    async with BREAKERS[request.param](place) as opened:
        yield opened
