"""The embedded parts: Kafka, Redis and PostgreSQL, started together and stopped in order.

`start_parts` gives a `RunningParts`; they live as long as the process that started them, or until its `stop()`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from infra.local.leftovers import wait_until_gone
from infra.local.parts import kafka, postgres, redis
from infra.local.parts.part import Part
from infra.local.parts.ports import remembered_ports
from infra.local.processes import Child, LocalError, last_lines, spawn

NAMES = frozenset({"kafka", "redis", "postgres"})
# Clients go first; Kafka last, because everything else's last words travel through it.
STOP_ORDER = ("postgres", "redis", "kafka")
READY_SECONDS = 120.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the started parts are; None for a part that was not wanted."""

    kafka: str | None = None
    """`host:port`, as in `bootstrap.servers`."""
    redis: str | None = None
    """`redis://host:port/0`."""
    database: str | None = None
    """`postgresql://user:password@host:port/name`."""


@dataclass(frozen=True, slots=True)
class RunningParts:
    """The parts that run, and the leashes by which this process holds them."""

    endpoints: Endpoints
    """Their addresses."""
    children: Mapping[str, Child]
    """Their processes by part."""

    def stop(self) -> None:
        """Stop them in order; returns when their processes are gone, the watchers of their leashes too."""
        for name in STOP_ORDER:
            if name in self.children:
                self.children[name].stop(STOP_SECONDS)
        wait_until_gone({child.pid for child in self.children.values()})


def start_parts(
    home: Path,
    wanted: Collection[str] = NAMES,
    report: Report = lambda line: None,
    give_up: Callable[[], bool] = lambda: False,
    kafka_heap_mib: int = kafka.HEAP_MIB,
) -> RunningParts:
    """Start the wanted parts with their state in `home` and wait until each one answers, or `give_up` says to stop.

    A broker that nobody clears, as one of tests and benchmarks, needs more heap than the default: where it runs short
    it is slow first and ends then.
    """
    if unknown := set(wanted) - NAMES:
        raise LocalError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(sorted(NAMES))}")
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    prepare = _prepares(home, kafka_heap_mib, report)
    children: dict[str, Child] = {}

    def start(name: str) -> str:
        began = time.monotonic()
        part = prepare[name]()
        children[name] = spawn(part.command)
        wait_until_ready(part, children[name], give_up)
        report(f"{name} is ready after {time.monotonic() - began:.1f} s at {part.address.rpartition('@')[2]}")
        return part.address

    names = sorted(wanted)
    with ThreadPoolExecutor(len(NAMES)) as pool:
        started = {name: pool.submit(start, name) for name in names}
    try:
        addresses = {name: future.result() for name, future in started.items()}
    except BaseException:
        RunningParts(Endpoints(), children).stop()
        raise
    endpoints = Endpoints(addresses.get("kafka"), addresses.get("redis"), addresses.get("postgres"))
    return RunningParts(endpoints, MappingProxyType(children))


def _prepares(home: Path, kafka_heap_mib: int, report: Report) -> Mapping[str, Callable[[], Part]]:
    ports = remembered_ports(home, *NAMES, "kafka-controller")
    return {
        "kafka": lambda: kafka.prepare(home, ports["kafka"], ports["kafka-controller"], kafka_heap_mib, report),
        "redis": lambda: redis.prepare(home, ports["redis"]),
        "postgres": lambda: postgres.prepare(home, ports["postgres"]),
    }


def wait_until_ready(part: Part, child: Child, give_up: Callable[[], bool]) -> None:
    """Wait until a part answers; raise with the end of its log if it ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while not part.answers():
        if give_up():
            raise LocalError(f"{part.command.name} was stopped before it was ready")
        code = child.exit_code()
        if code is not None or time.monotonic() > deadline:
            happened = f"ended with status {code}" if code is not None else f"did not answer in {READY_SECONDS:.0f} s"
            log = part.command.log
            raise LocalError(f"{part.command.name} {happened}; the end of {log}:\n{last_lines(log)}")
        time.sleep(POLL_SECONDS)
