"""A pipeline of each test's own on the real parts, and a hand to put records on its topics."""

import uuid
from collections.abc import Iterator

import pytest

from infra.local.parts import Endpoints
from shared.cli.session import open_session
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from tests.cli.installation import Installation


@pytest.fixture
def own(parts: Endpoints, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[Installation]:
    """An installation: settings in the environment, topics and tables made."""
    name = f"p{uuid.uuid4().hex[:8]}"
    settings = {
        "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS": parts.kafka,
        "PENSTOCK_REDIS_URL": parts.redis,
        "PENSTOCK_DATABASE_URL": parts.database,
        "PENSTOCK_BLOB_URL": f"file://{tmp_path}/blobs",
        "PENSTOCK_PIPELINE": f"tests.cli.pipelines:{name}",
    }
    for setting, value in settings.items():
        monkeypatch.setenv(setting, value or "")
    session = open_session()
    ensure(session.kafka, plan(session.pipeline))
    migrate(parts.database or "")
    with Installation(session) as installation:
        yield installation
