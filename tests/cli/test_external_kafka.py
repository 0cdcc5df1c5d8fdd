"""`penstock up` on a Kafka that somebody else runs: it is used, and none is started."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.homes import temporary_home
from infra.local import down, start_parts
from shared.cli.exits import Exit
from shared.cli.main import main
from tests.cli.installation import lines
from tests.pipeline.live.installation import RESULT
from tests.pipeline.live.texts import LETTER

LEFT_OUT = dict.fromkeys(("modelsim", "ingest", "analyze", "validate", "review", "journal"), "")
"""Services that a letter does not need."""


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Kafka in a home of its own, set as external; the installation has another home."""
    with temporary_home() as elsewhere, temporary_home() as home:
        running = start_parts(elsewhere, {"kafka"})
        try:
            for name in ("REDIS_URL", "DATABASE_URL", "BLOB_URL", "PIPELINE"):
                monkeypatch.delenv(f"PENSTOCK_{name}", raising=False)
            monkeypatch.setenv("PENSTOCK_HOME", str(home))
            monkeypatch.setenv("PENSTOCK_CONFIG", str(home / "none.toml"))
            monkeypatch.setenv("PENSTOCK_COMMANDS", json.dumps(LEFT_OUT))
            monkeypatch.setenv("PENSTOCK_KAFKA__BOOTSTRAP_SERVERS", running.endpoints.kafka or "")
            yield running.endpoints.kafka or ""
            down(home)
        finally:
            running.stop()


def test_an_installation_works_on_a_kafka_given_to_it_and_starts_none(
    theirs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--detach", "--json"]) == Exit.DONE
    [said] = lines(capsys.readouterr().out)
    assert said["parts"].keys() == {"redis", "database"}
    assert {process["service"] for process in said["processes"]} == {
        "redis",
        "postgres",
        "extract",
        "classify",
        "store",
    }
    (tmp_path / "letter.txt").write_text(LETTER.format(name="the visit"))
    assert main(["publish", str(tmp_path), "--wait", "--timeout", "60", "--json"]) == Exit.DONE
    [published] = lines(capsys.readouterr().out)
    [document] = published["published"]
    assert document["state"] == "stored"
    [(key, value, _)] = outsider.read(theirs, "documents.results")
    assert key.decode() == document["document_id"]
    assert outsider.decoded(RESULT, value)["document_type"] == "letter"
