"""The running installation that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from infra.local.parts import start_parts
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS
from tests.chaos.herd import Herd
from tests.homes import temporary_home
from tests.pipeline.live.installation import NOBODY, Documents


@pytest.fixture(scope="package")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documents]:
    """The whole `documents` pipeline, running, on a Kafka, Redis and PostgreSQL of its own.

    Its topics have fixed names, so it cannot be on the servers that other tests use. A test takes document ids of its
    own, and leaves the services as it found them.
    """
    with temporary_home() as home:
        parts = start_parts(home)
        try:
            ensure({"bootstrap.servers": parts.endpoints.kafka}, plan(DOCUMENTS))
            migrate(parts.endpoints.database or "")
            with Herd(parts.endpoints, tmp_path_factory.mktemp("documents"), **NOBODY) as herd:
                installation = Documents(parts.endpoints, herd)
                yield installation
                installation.close()
        finally:
            parts.stop()
