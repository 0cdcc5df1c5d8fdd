"""What every test may ask for: the `parts` fixture, a real Kafka, Redis and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.parts import Endpoints, start_parts

SETTINGS = {
    "kafka": "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS",
    "redis": "PENSTOCK_REDIS_URL",
    "postgres": "PENSTOCK_DATABASE_URL",
}


@pytest.fixture(scope="session")
def parts() -> Iterator[Endpoints]:
    """The addresses of a real Kafka, Redis and PostgreSQL, started once for the whole run and stopped at its end.

    A test takes them as an argument (`def test_it(parts: Endpoints)`: `parts.kafka` is `host:port`, `parts.redis` and
    `parts.database` are URLs) and makes topics, keys, tables and groups under names of its own: nothing is cleaned
    between tests. A part whose setting is in the environment is not started, that one is used: so a run of one test
    need not wait for three servers. Killing the run in whatever way ends the servers too.
    """
    external = {part: os.environ[setting] for part, setting in SETTINGS.items() if setting in os.environ}
    home = Path(tempfile.mkdtemp(prefix="penstock-"))
    # Made by this fixture alone, and opened so that PostgreSQL can live in it where the tests run as root.
    home.chmod(0o711)
    try:
        running = start_parts(home, SETTINGS.keys() - external.keys())
        try:
            yield Endpoints(
                external.get("kafka", running.endpoints.kafka),
                external.get("redis", running.endpoints.redis),
                external.get("postgres", running.endpoints.database),
            )
        finally:
            running.stop()
    finally:
        shutil.rmtree(home)
