"""up, ps, scale and down on a state folder of the test's own, with tiny programs for services."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bench.homes import temporary_home
from infra.local import down
from shared.cli.exits import Exit, Stop
from shared.cli.main import main
from shared.cli.plan import plan_for
from shared.core.errors import Misconfigured
from shared.pipelines.documents import DOCUMENTS
from shared.settings import load
from tests.cli.installation import Installation, lines
from tests.pipeline.tiny.pipeline import TICKETS

SERVICES = ("ingest", "extract", "classify", "analyze", "validate", "store", "review", "journal")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with temporary_home() as folder:
        monkeypatch.setenv("PENSTOCK_HOME", str(folder))
        yield folder
        down(folder)


def test_what_is_up_can_be_seen_scaled_and_stopped(
    own: Installation, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unwanted = dict.fromkeys(("modelsim", "review", "journal", "insights", "notify"), "")
    commands = dict.fromkeys(SERVICES, "sleep 600") | unwanted
    monkeypatch.setenv("PENSTOCK_COMMANDS", json.dumps(commands))
    assert main(["up", "--detach", "--scale", "analyze=2", "--json"]) == Exit.DONE
    first = lines(capsys.readouterr().out)[0]
    instances = ["ingest-1", "extract-1", "classify-1", "analyze-1", "analyze-2", "validate-1", "store-1"]
    assert first["started"]
    assert first["ingest"].endswith("/documents")
    assert set(instances) == {process["instance"] for process in first["processes"]}
    assert main(["up", "--detach", "--json"]) == Exit.DONE
    second = lines(capsys.readouterr().out)[0]
    assert (second["started"], second["ingest"]) == (False, first["ingest"])
    assert main(["ps", "--json"]) == Exit.DONE
    [row, *_] = lines(capsys.readouterr().out)[0]
    assert {"service", "instance", "pid", "state", "uptime", "restarts", "health", "partitions", "ready"} <= row.keys()
    assert main(["scale", "classify=0", "analyze=3", "--json"]) == Exit.DONE
    assert [each["before"] for each in lines(capsys.readouterr().out)[0]] == [1, 2]
    assert main(["scale", "analyse=3"]) == Exit.FAILED
    assert "there are: ingest" in capsys.readouterr().err
    assert main(["ps"]) == Exit.DONE
    capsys.readouterr()
    assert main(["down", "--json"]) == Exit.DONE
    assert main(["down", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out) == [{"stopped": True}, {"stopped": False}]
    assert main(["ps", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out) == [[]]


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No setting but the folder."""
    for name in ("KAFKA__BOOTSTRAP_SERVERS", "REDIS_URL", "DATABASE_URL", "BLOB_URL", "PIPELINE"):
        monkeypatch.delenv(f"PENSTOCK_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_plan_has_every_service_and_the_parts_that_nobody_has_set(bare: Path) -> None:
    plan = plan_for(load(), DOCUMENTS, {"analyze": 3}, {"PENSTOCK_REDIS_URL": "redis://x"})
    assert plan.parts == {"kafka", "postgres"}
    services = {service.name: service for service in plan.services}
    beside = ["review", "journal", "insights", "notify"]
    assert list(services) == ["modelsim", *SERVICES[:4], "store", "validate", *beside]
    assert [service.name for service in plan.services if service.count == 0] == ["insights", "notify"]
    assert services["analyze"].count == 3
    assert services["extract"].command == (sys.executable, "-m", "services.extract")
    port = services["modelsim"].environment["PENSTOCK_MODELSIM_PORT"]
    assert services["analyze"].environment["PENSTOCK_MODELSIM_URL"] == f"http://127.0.0.1:{port}"
    assert services["ingest"].environment["PENSTOCK_INGEST__PORT"].isdecimal()
    assert plan.prepare == ((sys.executable, "-m", "shared.cli.prepare"),)


@pytest.mark.parametrize(
    "variable", ["OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "PENSTOCK_MODELSIM_URL"]
)
def test_no_provider_is_simulated_where_there_is_one(bare: Path, variable: str) -> None:
    plan = plan_for(load(), DOCUMENTS, {}, {variable: "set"})
    assert "modelsim" not in {service.name for service in plan.services}


def test_a_part_that_the_file_names_is_not_started_and_its_blob_address_is_handed_on(bare: Path) -> None:
    (bare / "penstock.toml").write_text('database_url = "postgresql://x"\nblob_url = "s3://bucket"\n')
    plan = plan_for(load(), DOCUMENTS, {}, {})
    assert plan.parts == {"kafka", "redis"}
    assert {service.environment["PENSTOCK_BLOB_URL"] for service in plan.services} == {"s3://bucket"}


def test_the_file_says_how_a_service_is_run_and_which_is_left_out(bare: Path) -> None:
    (bare / "penstock.toml").write_text('[commands]\nextract = "python -m acme.extract --fast"\nreview = ""\n')
    services = {service.name: service.command for service in plan_for(load(), DOCUMENTS, {}, {}).services}
    assert services["extract"] == (sys.executable, "-m", "acme.extract", "--fast")
    assert "review" not in services


def test_a_file_of_webhooks_asks_for_the_service_that_tells_them(bare: Path) -> None:
    (bare / "penstock.toml").write_text('webhooks = "webhooks.toml"\n')
    counts = {service.name: service.count for service in plan_for(load(), DOCUMENTS, {}, {}).services}
    assert (counts["notify"], counts["insights"]) == (1, 0)
    counts = {service.name: service.count for service in plan_for(load(), DOCUMENTS, {"notify": 0}, {}).services}
    assert counts["notify"] == 0


def test_scaling_what_is_not_there_names_what_was_meant(bare: Path) -> None:
    with pytest.raises(Stop, match="did you mean analyze"):
        plan_for(load(), DOCUMENTS, {"analyse": 3}, {})


def test_a_stage_that_nobody_can_run_is_told_with_the_remedy(bare: Path) -> None:
    with pytest.raises(Misconfigured, match=r"\[commands\]"):
        plan_for(load(), TICKETS, {}, {})
