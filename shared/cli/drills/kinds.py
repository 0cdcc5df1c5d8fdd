"""What a drill breaks on a running local installation, and how it mends it again: a table of named failures.

Only processes that the installation's own supervisor names are touched; only the simulated provider is told to fail.
"""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import local
from shared.cli.exits import Exit, Stop

FIRST = "sim-large"
"""The simulated model that is asked first; the others of its chain answer while it fails."""
HANGS_SECONDS = 5.0
"""How long a part is stopped in mid-air."""
STATEMENT_SECONDS = 2.0
"""How long a statement waits at most while a part is slow."""
SLOW_STATEMENTS = 5
"""How many of such waits a slow part takes."""
GOES_SECONDS = 0.05
"""How long it goes on between two of them."""
SECONDS = 10.0
"""Longest wait for the simulated provider."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The installation that is drilled."""

    home: Path
    """Its state folder."""

    def pids(self, service: str) -> list[int]:
        """The processes of a service, or of a part, that run now. Raises Stop where none does."""
        pids = [one.pid for one in local.ps(self.home) if one.service == service and one.pid]
        if not pids:
            raise Stop(Exit.UNREACHABLE, f"no {service} runs in {self.home}: `penstock ps` shows what does")
        return pids

    def send(self, service: str, number: signal.Signals) -> None:
        """Send a signal to each of them."""
        signalled(self.pids(service), number)

    @contextmanager
    def still(self, part: str) -> Iterator[None]:
        """Have a part stand still for the length of a block.

        With all that it has started: a PostgreSQL whose first process is stopped takes no new connection, and serves
        those it has as if nothing were.
        """
        first, everybody = self.pids(part), list[int]()
        try:
            # These first: stopped, they start nobody behind the list of those there are.
            signalled(first, signal.SIGSTOP)
            everybody = [pid for one in first for pid in local.family(one)]
            signalled(everybody, signal.SIGSTOP)
            yield
        finally:
            signalled(everybody or first, signal.SIGCONT)

    def fault(self, method: str, order: Mapping[str, Any] | None = None) -> None:
        """Give the simulated provider an order to fail, or take all back. Raises Stop where there is none."""
        ports = json.loads((self.home / "ports.json").read_text("utf-8"))
        data = json.dumps(order).encode() if order else None
        asked = urllib.request.Request(f"http://127.0.0.1:{ports['modelsim']}/faults", data, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=SECONDS):
                pass
        except OSError as error:
            raise Stop(Exit.UNREACHABLE, f"the simulated provider does not answer ({error}): is it running?") from error


def signalled(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each; one that has just ended by itself is as dead as it was to be."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass(frozen=True, slots=True)
class Drill:
    """One failure."""

    name: str
    """What a person types."""
    says: str
    """What happens, in one sentence."""
    breaks: Callable[[Ground], None]
    """Breaks it, with documents on their way."""
    mends: Callable[[Ground], None] = lambda ground: None
    """Mends what does not mend itself."""
    from_the_start: bool = False
    """It is broken before the documents are published, and not in their middle."""


def kills(service: str) -> Callable[[Ground], None]:
    """`kill -9` for all processes of a service or a part."""
    return lambda ground: ground.send(service, signal.SIGKILL)


def hangs(part: str) -> Callable[[Ground], None]:
    """A part stopped in mid-air for a while: connections stay, answers do not come."""

    def stop(ground: Ground) -> None:
        with ground.still(part):
            time.sleep(HANGS_SECONDS)

    return stop


def slows(part: str) -> Callable[[Ground], None]:
    """A part that answers all it was asked at once, after a long while each time."""

    def stop_and_go(ground: Ground) -> None:
        for _ in range(SLOW_STATEMENTS):
            with ground.still(part):
                time.sleep(STATEMENT_SECONDS)
            time.sleep(GOES_SECONDS)

    return stop_and_go


def orders(fault: str, **how: Any) -> Callable[[Ground], None]:
    """The simulated provider fails in a way."""
    return lambda ground: ground.fault("POST", {"model": FIRST, "fault": fault} | how)


def takes_back(ground: Ground) -> None:
    """The simulated provider works again."""
    ground.fault("DELETE")


def model(name: str, says: str, fault: str, **how: Any) -> Drill:
    """A failure of the first model from the first document on."""
    return Drill(name, says, orders(fault, **how), takes_back, from_the_start=True)


DRILLS = (
    Drill("kill-stage", "every process of analyze is killed in mid-work", kills("analyze")),
    Drill("kill-model", "the provider is killed in mid-request, all of its models at once", kills("modelsim")),
    Drill("kill-database", "PostgreSQL is killed", kills("postgres")),
    Drill("kill-redis", "Redis is killed, and comes back empty", kills("redis")),
    Drill("hang-database", f"PostgreSQL stands still for {HANGS_SECONDS:g} s", hangs("postgres")),
    Drill("slow-database", f"every statement of PostgreSQL takes up to {STATEMENT_SECONDS:g} s", slows("postgres")),
    Drill("hang-redis", f"Redis stands still for {HANGS_SECONDS:g} s", hangs("redis")),
    model("model-down", f"{FIRST} answers nothing but errors", "server_error"),
    model("model-slow", f"every second answer of {FIRST} takes twenty times as long", "slow", share=0.5),
    model("model-refuses", f"{FIRST} declines, in valid JSON", "refusal"),
    model("model-truncates", f"{FIRST} stops in the middle", "truncated"),
    model("model-limits", f"{FIRST} says that there are too many requests", "rate_limited"),
    model("stream-cut", f"half of the streams of {FIRST} break off", "stream_cut", share=0.5),
)
"""Every drill, in the order in which they run."""


def chosen(names: list[str]) -> tuple[Drill, ...]:
    """The drills of these names; all where none is named. Raises Stop for a name that is none."""
    known = {drill.name: drill for drill in DRILLS}
    for name in names:
        if name not in known:
            raise Stop(Exit.USAGE, f"{name}: there is no such drill; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or DRILLS
