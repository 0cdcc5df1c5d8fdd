"""PostgreSQL slow, then full, each under a burst of ten times the usual load: what is lost, doubled, dead, paid twice.

    slow    every statement of every session takes two seconds: results, ledger and the pools' own checks alike
    full    somebody else has every connection there is, and whoever had one has lost it

The scenario has a PostgreSQL of its own; the services come to it through a door that can be made slow.
"""

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.brake import Brake, braked
from infra.bench.crowd import crowded, narrow
from infra.bench.engine.two_models import bill
from infra.bench.failures.away import RECOVERY, weaker
from infra.bench.failures.mixed import Ends, settled, submission
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.homes import temporary_home
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from infra.local.parts import start_parts
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

STATEMENT_SECONDS = 2.0
TIMES = 10
"""The burst, over the usual load."""
NAMED = {"calls", "results"}
"""Guarantees that are weaker in both troubles: calls are recorded in a spool, and results are late."""
PARKED = re.compile(r'penstock_records_parked{dependency="database"')
"""Records that wait for the database."""
GIVEN_UP = re.compile(r'penstock_model_calls_total{.*outcome="(?!ok")')
"""Calls without an answer that could be used: the provider may charge what came too late."""
RECOVERY_SECONDS = 120.0
"""Longest time until health names nothing any more."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    per_second: float
    """Documents, usually."""
    seconds: float
    """Length of each trouble, and of its burst."""


FULL = Size(per_second=5, seconds=30)
"""Its burst is what two cores carry through all stages: else the machine is slow, and not the database."""
SMALL = Size(per_second=3, seconds=10)


@dataclass
class Load:
    """Documents published at a pace that may be changed, and what is seen meanwhile."""

    mark: str
    """What the names of its documents begin with."""
    per_second: float
    """How many a second."""
    names: list[str] = field(default_factory=list)
    """Those published."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when it is over."""

    def records(self) -> Iterator[dict[str, Any]]:
        """The documents, until it is over."""
        while not self.stop.wait(1 / self.per_second):
            name = f"{self.mark}-{len(self.names)}"
            self.names.append(name)
            yield {"key": name, "value": outsider.encoded(SUBMITTED, submission(name, INVOICE.format(name=name)))}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one trouble showed."""

    named: bool
    """Health named every guarantee that was weaker."""
    parked: float
    """Most records that waited for the database."""
    recovered: float
    """Seconds from its end until health named nothing."""
    span: tuple[float, float]
    """Its beginning and its end, UNIX seconds."""


def slow(bench: Bench) -> Figures:
    """Publish through both troubles, then look where each document has ended."""
    size, mark = SMALL if bench.small else FULL, uuid.uuid4().hex[:8]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder, load = bench.folder / f"slow-{mark}", Load(mark, size.per_second)
    folder.mkdir()
    with database() as server, braked(narrow(server)) as brake, ThreadPoolExecutor(1) as pool:
        troubles = {"slow": lambda: slowed(brake), "full": lambda: crowded(server)}
        with Herd(
            replace(bench.parts, database=brake.address), folder, PENSTOCK_BREAKER__RECOVERY=RECOVERY, **NOBODY
        ) as herd:
            ports = start(herd)
            publishing = pool.submit(outsider.send, bench.kafka, "documents.ingest", load.records())
            try:
                seen = {name: met(bench, herd, size, load, (each, ports.health)) for name, each in troubles.items()}
            finally:
                load.stop.set()
                publishing.result()
            ends = settled(bench, herd, set(load.names))
            drained = time.time() - seen["full"].span[1]
            exits = sum(process.poll() is not None for process in herd.processes)
            repaid = answered(ports.provider) - len(load.names) - measured(ports.health, GIVEN_UP)
    figures = told_of(load, ends, seen) | {"slow_exits": exits, "slow_drained_s": drained}
    figures |= {"slow_repaid": max(repaid, 0), "slow_stored_per_s": rate_of(bench, mark, seen["slow"].span)}
    bench.say("slow: " + ", ".join(f"{name} {figure:.4g}" for name, figure in figures.items()))
    return figures


@contextmanager
def database() -> Iterator[str]:
    """A PostgreSQL with the tables, for the length of a block; gives its address."""
    with temporary_home() as home:
        parts = start_parts(home, {"postgres"})
        try:
            migrate(parts.endpoints.database or "")
            yield parts.endpoints.database or ""
        finally:
            parts.stop()


@contextmanager
def slowed(brake: Brake) -> Iterator[None]:
    """Every statement takes long, for the length of a block."""
    brake.seconds = STATEMENT_SECONDS
    try:
        yield
    finally:
        brake.seconds = 0.0


Trouble = tuple[Callable[[], AbstractContextManager[None]], tuple[int, ...]]
"""What lasts as long as a block, and where the health of those who suffer it can be asked."""


def met(bench: Bench, herd: Herd, size: Size, load: Load, trouble: Trouble) -> Seen:
    """Go through one trouble with a burst in it, and wait until health names nothing any more."""
    begins, ports = trouble
    named, parked, began = set[str](), 0.0, time.time()

    def looked() -> bool:
        nonlocal named, parked
        named |= weaker(ports).keys()
        parked = max(parked, measured(ports, PARKED))
        return False

    herd.reaches(lambda: False, size.seconds / 4)
    with begins():
        bench.say(f"slow: trouble for {size.seconds:g} s, {TIMES} times the load")
        load.per_second, began = size.per_second * TIMES, time.time()
        herd.reaches(looked, size.seconds)
        load.per_second = size.per_second
    ended = time.time()
    herd.reaches(lambda: not weaker(ports), RECOVERY_SECONDS)
    return Seen(named >= NAMED, parked, time.time() - ended, (began, ended))


def measured(ports: tuple[int, ...], figure: "re.Pattern[str]") -> float:
    """The sum of a figure over all processes; of one that does not answer now, nothing is known."""
    found = 0.0
    for port in ports:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
            found += sum(float(line.rpartition(" ")[2]) for line in lines if figure.match(line))
    return found


def answered(port: int) -> int:
    """How many calls the simulated provider has answered, and charges."""
    return int(bill(port)["calls"])


def told_of(load: Load, ends: Ends, seen: dict[str, Seen]) -> Figures:
    """What became of the documents, and what the troubles showed."""
    return {
        "documents": len(load.names),
        "slow_lost": len(set(load.names) - ends.all),
        "slow_doubled": sum(times - 1 for times in ends.stored.values()),
        "slow_dead_letters": len(ends.dead),
        "slow_parked": max(one.parked for one in seen.values()),
        "slow_unnamed": sum(not one.named for one in seen.values()),
        "slow_recovered_s": max(one.recovered for one in seen.values()),
    }


def rate_of(bench: Bench, mark: str, span: tuple[float, float]) -> float:
    """Results a second in a span of time: a slow database slows, and stops nothing."""
    begin, end = span
    stamped = outsider.read_stamped(bench.kafka, "documents.results")
    own = [one.milliseconds / 1000 for one in stamped if one.key.decode().startswith(mark)]
    return sum(begin <= at < end for at in own) / (end - begin)
