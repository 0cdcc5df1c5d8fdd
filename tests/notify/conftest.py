"""A pipeline of each test's own with tables of its own."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.cli.session import open_session
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from tests.cli.installation import Installation
from tests.notify.place import Place


@pytest.fixture
def place(parts: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Topics, tables, and nothing running."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    name, schema = f"p{uuid.uuid4().hex[:8]}", f"notify_{uuid.uuid4().hex}"
    with psycopg.connect(parts.database or "", autocommit=True) as connection:
        connection.execute(f"create schema {schema}")  # type: ignore[call-overload]
        url = f"{parts.database}?options=-csearch_path%3D{schema}"
        migrate(url)
        settings = {"PENSTOCK_PIPELINE": f"tests.cli.pipelines:{name}", "PENSTOCK_DATABASE_URL": url}
        herd = Herd(parts, tmp_path, **settings)
        os.environ.update(herd.settings)
        session = open_session()
        ensure(session.kafka, plan(session.pipeline))
        with Installation(session) as own, herd:
            yield Place(own, herd, url, tmp_path)
        connection.execute(f"drop schema {schema} cascade")  # type: ignore[call-overload]
