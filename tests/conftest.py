"""What every test may ask for: the `parts` fixture, a real Kafka, Redis and PostgreSQL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from infra.bench.homes import KAFKA_HEAP_MIB, temporary_home
from infra.local.parts import Endpoints, start_parts
from tests.scheduling import ByScope, scope_of

SETTINGS = {
    "kafka": "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS",
    "redis": "PENSTOCK_REDIS_URL",
    "postgres": "PENSTOCK_DATABASE_URL",
}


def pytest_configure() -> None:
    """Have a termination end the run in good order, as an interrupt does: fixtures stop what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: scope_of(item.nodeid) != "long")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByScope:
    """How the tests are shared out where two run side by side."""
    return ByScope(config, log)


@pytest.fixture(scope="session")
def parts() -> Iterator[Endpoints]:
    """The addresses of a real Kafka, Redis and PostgreSQL, started once for the whole run and stopped at its end.

    A test takes them as an argument (`def test_it(parts: Endpoints)`: `parts.kafka` is `host:port`, `parts.redis` and
    `parts.database` are URLs) and makes topics, keys, tables and groups under names of its own: nothing is cleaned
    between tests. A part whose setting is in the environment is not started, that one is used: so a run of one test
    need not wait for three servers. Killing the run in whatever way ends the servers too.
    """
    external = {part: os.environ[setting] for part, setting in SETTINGS.items() if setting in os.environ}
    with temporary_home() as home:
        running = start_parts(home, SETTINGS.keys() - external.keys(), kafka_heap_mib=KAFKA_HEAP_MIB)
        try:
            yield Endpoints(
                external.get("kafka", running.endpoints.kafka),
                external.get("redis", running.endpoints.redis),
                external.get("postgres", running.endpoints.database),
            )
        finally:
            running.stop()
