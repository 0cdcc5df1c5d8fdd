"""docker-compose.yml and the Dockerfile, as far as they can be checked where there is no Docker.

The file is validated against the compose specification, and every command of ours is started outside a container with
the environment it has there, only the addresses exchanged for those of servers that run here.
"""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from compose_spec import PyCompose

from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from shared.pipelines.documents import DOCUMENTS

FILE = Path("docker-compose.yml")
# The specification's own reader takes YAML without merge keys, which are YAML's and resolved before it is asked.
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "penstock"}
RUNNING = [name for name in OURS if name != "prepare"]
DOCKERFILE = Path("infra/docker/Dockerfile").read_text("utf-8")
VARIABLE = re.compile(r"\$\{(\w+):-(.*?)\}")


def test_the_file_follows_the_compose_specification() -> None:
    assert PyCompose.from_json(json.dumps(COMPOSE)).to_dict()["services"].keys() == SERVICES.keys()


def test_a_misspelt_key_would_not_pass() -> None:
    wrong = COMPOSE | {"services": {"store": SERVICES["store"] | {"depend_on": {}}}}
    with pytest.raises(ValueError, match="depend_on"):
        PyCompose.from_json(json.dumps(wrong))


def test_every_stage_of_the_pipeline_has_a_service_and_every_service_depends_on_ones_that_exist() -> None:
    assert {stage.name for stage in DOCUMENTS.stages} | {
        "ingest",
        "review",
        "journal",
        "insights",
        "notify",
        "prepare",
        "modelsim",
    } == OURS.keys()
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            healthy = how["condition"] == "service_healthy"
            assert not healthy or "test" in SERVICES[other]["healthcheck"], f"{name}: {other} tells no health"


def test_every_service_waits_for_the_one_that_makes_topics_and_tables() -> None:
    for name in RUNNING:
        assert OURS[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}, name
    assert OURS["prepare"]["restart"] == "no"


def test_kafka_is_advertised_under_the_address_by_which_each_side_comes() -> None:
    kafka = SERVICES["kafka"]
    said = {name: listeners(kafka["environment"][name]) for name in ("KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS")}
    opened, told = said.values()
    kinds = dict(pair.split(":") for pair in kafka["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert opened.keys() == kinds.keys()
    assert told.keys() == opened.keys() - {kafka["environment"]["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert kafka["environment"]["KAFKA_INTER_BROKER_LISTENER_NAME"] in told
    assert all(told[name].rpartition(":")[2] == opened[name].rpartition(":")[2] for name in told), "the port it opens"
    inside, host = told["INSIDE"], told["HOST"]
    assert {OURS[name]["environment"]["PENSTOCK_KAFKA__BOOTSTRAP_SERVERS"] for name in OURS} == {inside}
    assert inside.partition(":")[0] == "kafka"
    address, port = host.split(":")
    assert address == "localhost"
    assert f"127.0.0.1:{port}:{port}" in kafka["ports"]


def listeners(text: str) -> dict[str, str]:
    """NAME://address, comma-separated, by name."""
    return dict(entry.split("://") for entry in text.split(","))


def test_what_is_published_on_the_host_is_published_to_this_host_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_all_services_of_ours_are_built_alike_and_share_the_blobs() -> None:
    for name, service in OURS.items():
        assert Path(service["build"]["dockerfile"]).is_file(), name
        assert service["volumes"] == ["blobs:/blobs"]
        assert service["environment"]["PENSTOCK_BLOB_URL"] == "file:///blobs"
        assert service["command"][:2] == ["python", "-m"]
        assert importlib.util.find_spec(service["command"][2]), name
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_what_the_image_copies_is_there_and_is_all_that_the_commands_need() -> None:
    copied = [source for line in DOCKERFILE.splitlines() if line.startswith("COPY ") for source in line.split()[1:-1]]
    assert copied
    assert [source for source in copied if not Path(source).exists()] == []
    packages = {service["command"][2].partition(".")[0] for service in OURS.values()}
    assert packages | {"schemas"} <= set(copied)
    ignored = {line.strip("/") for line in Path(".dockerignore").read_text("utf-8").split()}
    assert not ignored & set(copied)
    assert "/blobs" in DOCKERFILE, "the folder of the blobs belongs to the user that the services run under"


def addresses(parts: Endpoints, folder: Path) -> dict[str, str]:
    """An address in the compose network to the one that takes its place here."""
    inside = OURS["store"]["environment"]
    sim, door = free_port(), free_port()
    return {
        inside["PENSTOCK_KAFKA__BOOTSTRAP_SERVERS"]: parts.kafka or "",
        inside["PENSTOCK_REDIS_URL"]: parts.redis or "",
        inside["PENSTOCK_DATABASE_URL"]: parts.database or "",
        inside["PENSTOCK_BLOB_URL"]: (folder / "blobs").as_uri(),
        inside["PENSTOCK_MODELSIM_URL"]: f"http://127.0.0.1:{sim}",
        OURS["modelsim"]["environment"]["PENSTOCK_MODELSIM_PORT"]: str(sim),
        OURS["ingest"]["environment"]["PENSTOCK_INGEST__PORT"]: str(door),
    }


def environment(name: str, instead: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the service sees in its container; nothing of this machine but where programs are."""
    told = {key: VARIABLE.sub(r"\2", value) for key, value in OURS[name]["environment"].items()}
    port = {"PENSTOCK_HEALTH_PORT": str(free_port())}
    mapped = {key: instead.get(value, value) for key, value in told.items()} | port
    return mapped | {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PENSTOCK_CONFIG": str(folder / "none.toml")}


def health_of(name: str, told: Mapping[str, str]) -> list[str]:
    """The command by which Docker asks for the service's health, with the port that it has here."""
    kind, program, *arguments = OURS[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python"), name
    inside = "8090" if name == "modelsim" else "8081"
    port = told["PENSTOCK_MODELSIM_PORT"] if name == "modelsim" else told["PENSTOCK_HEALTH_PORT"]
    return [sys.executable, *(argument.replace(f":{inside}/", f":{port}/") for argument in arguments)]


def ready(name: str, told: Mapping[str, str]) -> bool:
    """Whether the address in the health command answers well: quicker than running it."""
    [address] = re.findall(r"http://[\w.:/]+", health_of(name, told)[-1])
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        pass
    return False


@pytest.fixture
def started(parts: Endpoints, tmp_path: Path) -> Iterator[dict[str, tuple["subprocess.Popen[bytes]", dict[str, str]]]]:
    """Every service, started by its command after `prepare` has ended well; each with its environment."""
    instead = addresses(parts, tmp_path)
    with ExitStack() as stack:

        def start(name: str) -> tuple["subprocess.Popen[bytes]", dict[str, str]]:
            told = environment(name, instead, tmp_path)
            log = stack.enter_context((tmp_path / f"{name}.log").open("wb"))
            command = [sys.executable, *OURS[name]["command"][1:]]
            process = stack.enter_context(subprocess.Popen(command, env=told, stdout=log, stderr=log))
            stack.callback(process.terminate)
            return process, told

        prepare, _ = start("prepare")
        assert prepare.wait(60) == 0, (tmp_path / "prepare.log").read_text()
        yield {name: start(name) for name in RUNNING}


def test_every_service_comes_to_health_by_its_command_in_its_environment_and_ends_well(
    started: dict[str, tuple["subprocess.Popen[bytes]", dict[str, str]]], tmp_path: Path
) -> None:
    deadline = time.monotonic() + 90
    waiting = dict(started)
    while waiting:
        for name, (process, told) in list(waiting.items()):
            log = tmp_path / f"{name}.log"
            assert process.poll() is None, f"{name} ended: {log.read_text()}"
            assert time.monotonic() < deadline, f"{name} is not ready: {log.read_text()}"
            if ready(name, told):
                del waiting[name]
    for name, (_, told) in started.items():
        command = health_of(name, told)
        assert subprocess.run(command, timeout=20, check=False).returncode == 0, shlex.join(command)
    for process, _ in started.values():
        process.terminate()
    ends = {name: process.wait(20) for name, (process, _) in started.items()}
    assert not any(ends.values()), [(name, (tmp_path / f"{name}.log").read_text()) for name in ends if ends[name]]
