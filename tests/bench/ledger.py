"""What a paid call costs the ledger: intents and results of many calls in flight at once, on a real PostgreSQL.

    python -m tests.bench.ledger [PAIRS] [AT_ONCE]

Two runs. In the first, AT_ONCE callers go as fast as they can: pairs a second, and this process's CPU for each. In the
second, each waits half a second between `begin` and `end`, as for a model: how long `begin` takes then. The last line
is one JSON object. PENSTOCK_DATABASE_URL names a PostgreSQL to use; else one is started.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.bench.homes import temporary_home
from infra.local import start_parts
from shared.core.ledger import Intent, Recorded, Scope, State, call_fingerprint
from shared.database.ledger import CallsTable
from shared.database.migrate import migrate
from shared.database.pool import open_database
from shared.runtime.paying.ledger import BRISK, CallLedger
from shared.runtime.paying.spool import Spool

SECONDS = 0.5
RESULT = json.dumps({"text": json.dumps({f"field_{n}": "a value of some length" for n in range(12)}), "failure": None})


@dataclass(slots=True)
class Quiet:
    """A watch that counts batches and keeps silent."""

    batches: list[int] = field(default_factory=list)

    def repeated(self, intent: Intent) -> None:
        """Ignore it."""

    def reused(self, record: Recorded) -> None:
        """Ignore it."""

    def ended(self, record: Recorded) -> None:
        """Ignore it."""

    def gathered(self, kind: str, calls: int, seconds: float) -> None:
        """Note its size."""
        self.batches.append(calls)

    def spooled(self, size: int) -> None:
        """Ignore it."""

    def trouble(self, said: str) -> None:
        """Say it."""
        print(said, file=sys.stderr)


def intent(run: str, number: int) -> Intent:
    """The number-th call of a run."""
    scope = Scope("bench", "analyze", "acme", f"document-{number}", f"bench.analyze/3/{number}")
    name = call_fingerprint(scope, (run, "sim-large", "extract@1", str(number)))
    return Intent(name, scope, "extraction", "sim-large", secrets.randbits(63))


async def paid(ledger: CallLedger, one: Intent, seconds: float) -> float:
    """One call; gives the seconds that `begin` took."""
    began = time.perf_counter()
    await ledger.begin(one)
    took = time.perf_counter() - began
    if seconds:
        await asyncio.sleep(seconds)
    await ledger.end(Recorded(one, State.ACCEPTED, RESULT, "", 1200, 300, 0.004, 500))
    return took


async def run(
    ledger: CallLedger, name: str, pairs: int, at_once: int, seconds: float
) -> tuple[float, float, list[float]]:
    """Wall seconds, CPU seconds and the times of `begin`, of so many calls."""
    numbers = iter(range(pairs))
    times: list[float] = []

    async def caller() -> None:
        for number in numbers:
            times.append(await paid(ledger, intent(name, number), seconds))

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return time.perf_counter() - wall, time.process_time() - cpu, sorted(times)


async def measure(url: str, folder: Path, pairs: int, at_once: int) -> dict[str, float]:
    """Both runs."""
    quiet, mark = Quiet(), secrets.token_hex(4)
    async with open_database(url, "bench", BRISK) as database:
        ledger = CallLedger(CallsTable(database, "bench"), Spool(folder, "bench.analyze", "bench"), None, quiet)
        await run(ledger, f"{mark} warm", 500, at_once, 0)
        quiet.batches.clear()
        wall, cpu, _ = await run(ledger, f"{mark} fast", pairs, at_once, 0)
        batch = sum(quiet.batches) / len(quiet.batches)
        waiting, _, begins = await run(ledger, f"{mark} calls", 10 * at_once, at_once, SECONDS)
        await ledger.close()
    return {
        "pairs": pairs,
        "at_once": at_once,
        "pairs_per_s": round(pairs / wall),
        "cpu_us_per_pair": round(cpu / pairs * 1e6),
        "calls_per_batch": round(batch, 1),
        "begin_ms_p50": round(begins[len(begins) // 2] * 1000, 2),
        "begin_ms_p99": round(begins[len(begins) * 99 // 100] * 1000, 2),
        "share_of_ideal": round(10 * SECONDS / waiting, 3),
    }


@contextmanager
def database() -> Iterator[str]:
    """The address of a PostgreSQL."""
    if given := os.environ.get("PENSTOCK_DATABASE_URL"):
        yield given
        return
    with temporary_home() as home:
        parts = start_parts(home, {"postgres"})
        try:
            yield parts.endpoints.database or ""
        finally:
            parts.stop()


def main(pairs: int, at_once: int) -> None:
    """Measure and tell."""
    with database() as url, tempfile.TemporaryDirectory() as folder:
        migrate(url)
        print(json.dumps(asyncio.run(measure(url, Path(folder), pairs, at_once))))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *(20_000, 1000)[len(given) :])
