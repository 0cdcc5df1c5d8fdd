"""What `up` is to bring about: a frozen value, kept as JSON beside the state it describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from infra.local.parts import NAMES
from infra.local.processes import LocalError

MOST_PROCESSES = 64


@dataclass(frozen=True, slots=True)
class Service:
    """A program of which any number of processes may run."""

    name: str
    """The service's name; its processes are `<name>-1`, `<name>-2`, …"""
    command: tuple[str, ...]
    """The program and its arguments, the same for each process."""
    count: int = 1
    """How many processes to start with."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Defaults of its own; a value the user has set in the environment wins."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts and services of one installation."""

    parts: frozenset[str] = NAMES
    """Which of kafka, redis and postgres to start; the others are external, their settings are in the environment."""
    services: tuple[Service, ...] = ()
    """What to run once the parts are ready."""
    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands to run to their end, in order, before the first service: topics, migrations."""

    def __post_init__(self) -> None:
        if unknown := self.parts - NAMES:
            raise LocalError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(sorted(NAMES))}")
        names = [service.name for service in self.services]
        if twice := {name for name in names if names.count(name) > 1}:
            raise LocalError(f"service {', '.join(sorted(twice))} is planned twice: give each its own name")
        for service in self.services:
            check_count(service.name, service.count)

    def to_json(self) -> str:
        """Write the plan so that `from_json` reads it."""
        return json.dumps({**asdict(self), "parts": sorted(self.parts)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read a plan that `to_json` wrote."""
        raw = json.loads(text)
        services = (Service(**{**each, "command": tuple(each["command"])}) for each in raw["services"])
        return cls(frozenset(raw["parts"]), tuple(services), tuple(tuple(command) for command in raw["prepare"]))


def check_count(service: str, count: int) -> None:
    """Refuse a number of processes that cannot be meant."""
    if not 0 <= count <= MOST_PROCESSES:
        raise LocalError(f"{service}={count}: a service has 0 to {MOST_PROCESSES} processes on one machine")
