"""The running installation that the tests of this folder share."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.bench.herd import Herd
from infra.bench.homes import temporary_home
from infra.local.parts import start_parts
from shared.cli.main import main
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS
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


@pytest.fixture
def penstock(
    documents: Documents, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[Any]]:
    """The command, for this installation: it must end well, and gives its lines of JSON."""
    for name, value in documents.herd.settings.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> list[Any]:
        code = main([*arguments, "--json"])
        said = capsys.readouterr()
        assert code == 0, f"{code}: {said.err}"
        return [json.loads(line) for line in said.out.splitlines()]

    return run
