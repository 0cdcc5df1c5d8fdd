"""What `penstock up` is to start, computed from the pipeline and the settings."""

import json
import shlex
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infra.local import Plan, Service
from infra.local.parts.ports import remembered_ports
from shared.cli.exits import Exit, Stop
from shared.core.errors import Misconfigured
from shared.core.graph import Pipeline
from shared.setting_names import PROVIDERS, Origin, origin
from shared.settings import Settings, toml_file

PARTS = {"kafka": "kafka.bootstrap_servers", "redis": "redis_url", "postgres": "database_url"}
"""Embedded part to the setting that makes it an external one."""
ANSWERING = (*PROVIDERS, "PENSTOCK_MODELSIM_URL")
"""Variables of which any one means that there is a provider to ask."""
DOOR_PORT = "PENSTOCK_INGEST__PORT"
ASKED_FOR = ("insights", "notify")
"""Run only where somebody asks for them: `--scale insights=1`. No document waits for them, and each takes memory.
A file of webhooks asks for `notify`."""
SET = (Origin.FILE, Origin.ENVIRONMENT)


def plan_for(settings: Settings, pipeline: Pipeline, scale: Mapping[str, int], environment: Mapping[str, str]) -> Plan:
    """Parts that are not set, one process of each service unless `scale` says more, topics and tables first."""
    python = sys.executable
    home = settings.home.resolve()
    # Others may look for their way through it: PostgreSQL runs under a user of its own where this one is root.
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    ports = remembered_ports(home, "ingest", "modelsim")
    shared = blob_address(settings)
    if simulated := simulates(pipeline, environment):
        shared |= {"PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{ports['modelsim']}"}
    own = {"ingest": {DOOR_PORT: str(ports["ingest"])}, "modelsim": {"PENSTOCK_MODELSIM_PORT": str(ports["modelsim"])}}
    commands = commands_for(settings, pipeline, simulated)
    check(scale, commands)
    services = tuple(
        Service(name, command, scale.get(name, processes(name, settings)), shared | own.get(name, {}))
        for name, command in commands.items()
    )
    parts = frozenset(
        part for part, setting in PARTS.items() if origin(setting, environment, toml_file(), {}) not in SET
    )
    return Plan(parts, services, ((python, "-m", "shared.cli.prepare"),))


def processes(name: str, settings: Settings) -> int:
    """How many processes a service has where nobody says a number."""
    return int(name not in ASKED_FOR or (name == "notify" and bool(settings.webhooks)))


def simulates(pipeline: Pipeline, environment: Mapping[str, str]) -> bool:
    """Whether the simulated provider stands in: a stage asks models, and no provider is configured."""
    asks = any(stage.chains for stage in pipeline.stages)
    return asks and not any(environment.get(variable) for variable in ANSWERING)


def blob_address(settings: Settings) -> dict[str, str]:
    """The blob address of the settings file: the supervisor knows the environment alone."""
    return {"PENSTOCK_BLOB_URL": settings.blob_url} if settings.blob_url else {}


def commands_for(settings: Settings, pipeline: Pipeline, simulated: bool) -> dict[str, tuple[str, ...]]:
    """Service to its command: the simulated provider, the doors, a service a stage, and what the settings say."""
    commands: dict[str, tuple[str, ...]] = {}
    if simulated:
        commands["modelsim"] = (sys.executable, "-m", "infra.modelsim")
    for name in ("ingest", *(stage.name for stage in pipeline.stages), "review", "journal"):
        if name in settings.commands or find_spec(f"services.{name}"):
            commands[name] = (sys.executable, "-m", f"services.{name}")
        else:
            raise Misconfigured(
                f"pipeline {pipeline.name}: nobody knows how to run {name}; say it in penstock.toml:"
                f' [commands] {name} = "python -m your.module"'
            )
    commands |= {name: (sys.executable, "-m", f"services.{name}") for name in ASKED_FOR}
    commands |= {name: command_of(line) for name, line in settings.commands.items()}
    return {name: command for name, command in commands.items() if command}


def command_of(line: str) -> tuple[str, ...]:
    """A command as the settings have it; `python` is the one that runs this, whatever the search path says."""
    words = shlex.split(line)
    return tuple([sys.executable, *words[1:]] if words[:1] == ["python"] else words)


def check(scale: Mapping[str, int], commands: Mapping[str, Any]) -> None:
    """Refuse a number for a service that is not there."""
    for name in scale:
        if name not in commands:
            near = get_close_matches(name, commands, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(commands)}"
            raise Stop(Exit.USAGE, f"--scale {name}: there is no such service; {hint}")


def door(home: Path, environment: Mapping[str, str]) -> str:
    """Where the ingest door listens, or will; the port is remembered, so that it is the same after a restart."""
    record = home / "ports.json"
    known = json.loads(record.read_text("utf-8")) if record.exists() else {}
    return f"http://127.0.0.1:{environment.get(DOOR_PORT) or known.get('ingest', 0)}/documents"
