"""Redis stopped, hung and emptied, PostgreSQL stopped, both, under load: what is lost, and what health says of it.

The scenario has a Redis and a PostgreSQL of its own; only these are taken away.
"""

import json
import signal
import socket
import threading
import time
import urllib.error
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.failures.mixed import settled, submission
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.homes import temporary_home
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from infra.local.parts import Endpoints, RunningParts, start_parts
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

PER_SECOND = 20
CALM_SECONDS = 5.0
"""Between two troubles."""
EMPTIED = "redis emptied"
Trouble = tuple[Callable[[], None], Callable[[], None]]
"""How it begins, and how it ends."""
RECOVERY = "5"
"""Seconds that a breaker stays open: two minutes, as it is by default, would be most of the scenario."""


@dataclass
class Servers:
    """A Redis and a PostgreSQL that can be taken away and brought back at the same address.

    Each has a home of its own: those who share one choose their ports together.
    """

    home: Path
    running: dict[str, RunningParts]

    @property
    def endpoints(self) -> Endpoints:
        """Where they are."""
        redis, postgres = (self.running[name].endpoints for name in ("redis", "postgres"))
        return Endpoints(redis=redis.redis, database=postgres.database)

    def stop(self, name: str) -> None:
        """Stop one in good order."""
        self.running[name].stop()

    def start(self, name: str) -> None:
        """Start it again."""
        before = self.running[name].endpoints
        self.running[name] = start_parts(self.home / name, {name})
        assert self.running[name].endpoints == before

    def signal(self, name: str, number: signal.Signals) -> None:
        """Freeze it, or let it go on."""
        self.running[name].children[name].process.send_signal(number)

    def empty_redis(self) -> None:
        """Forget everything that Redis keeps."""
        address = urlsplit(self.endpoints.redis or "")
        with socket.create_connection((address.hostname or "", address.port or 0), 5) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16).startswith(b"+OK")


@contextmanager
def servers() -> Iterator[Servers]:
    """Both, for the length of a block."""
    with temporary_home() as home:
        own = Servers(home, {name: start_parts(home / name, {name}) for name in ("redis", "postgres")})
        try:
            migrate(own.endpoints.database or "")
            yield own
        finally:
            for parts in own.running.values():
                parts.stop()


def troubles(own: Servers) -> dict[str, Trouble]:
    """Each trouble by its name."""

    def nothing() -> None:
        return None

    def both(act: Callable[[str], None]) -> None:
        for name in ("redis", "postgres"):
            act(name)

    return {
        "redis stopped": (lambda: own.stop("redis"), lambda: own.start("redis")),
        "redis hangs": (lambda: own.signal("redis", signal.SIGSTOP), lambda: own.signal("redis", signal.SIGCONT)),
        EMPTIED: (own.empty_redis, nothing),
        "postgres stopped": (lambda: own.stop("postgres"), lambda: own.start("postgres")),
        "both stopped": (lambda: both(own.stop), lambda: both(own.start)),
    }


def away(bench: Bench) -> Figures:
    """Publish at a steady pace through all troubles, then look where each document has ended."""
    mark = uuid.uuid4().hex[:8]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"away-{mark}"
    folder.mkdir()
    stop, names = threading.Event(), list[str]()
    with servers() as own, ThreadPoolExecutor(1) as pool:
        parts = replace(own.endpoints, kafka=bench.kafka)
        with Herd(parts, folder, PENSTOCK_BREAKER__RECOVERY=RECOVERY, **NOBODY) as herd:
            ports = start(herd).health
            publishing = pool.submit(outsider.send, bench.kafka, "documents.ingest", steady(mark, names, stop))
            try:
                unnamed = [
                    name for name, trouble in troubles(own).items() if not said(bench, herd, name, trouble, ports)
                ]
            finally:
                stop.set()
                publishing.result()
            began = time.monotonic()
            herd.reaches(lambda: not weaker(ports), 60)
            ends = settled(bench, herd, set(names))
            recovered = time.monotonic() - began
            exits = sum(process.poll() is not None for process in herd.processes)
    figures = {
        "documents": len(names),
        "away_lost": len(set(names) - ends.all),
        "away_doubled": sum(times - 1 for times in ends.stored.values()),
        "away_dead_letters": len(ends.dead),
        "away_exits": exits,
        "away_unnamed": len(unnamed),
        "away_recovered_s": recovered,
    }
    bench.say("away: " + ", ".join(f"{name} {figure:.4g}" for name, figure in figures.items()) + f"; {unnamed}")
    return figures


def said(bench: Bench, herd: Herd, name: str, trouble: Trouble, ports: tuple[int, ...]) -> bool:
    """Go through one trouble; gives whether health has named it. That a server has forgotten everything nobody sees."""
    seconds = 1.5 if bench.small else 30.0
    begin, end = trouble
    bench.say(f"away: {name} for {seconds:g} s")
    herd.reaches(lambda: False, min(CALM_SECONDS, seconds))
    begin()
    told = herd.reaches(lambda: bool(weaker(ports)), seconds)
    herd.reaches(lambda: False, seconds)
    end()
    return told or name == EMPTIED


def steady(mark: str, names: list[str], stop: threading.Event) -> Iterator[dict[str, Any]]:
    """Documents at a steady pace until told to stop; their names are noted."""
    while not stop.wait(1 / PER_SECOND):
        name = f"{mark}-{len(names)}"
        names.append(name)
        yield {"key": name, "value": outsider.encoded(SUBMITTED, submission(name, INVOICE.format(name=name)))}


def weaker(ports: tuple[int, ...]) -> dict[str, str]:
    """What the services say is weaker at the moment."""
    found: dict[str, str] = {}
    for port in ports:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
                found |= json.load(answer)["weaker"]
        except urllib.error.HTTPError as error:
            found |= json.load(error).get("weaker", {})
            error.close()
        except OSError as error:
            found[str(port)] = str(error)
    return found
