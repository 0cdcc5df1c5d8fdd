"""A backlog that needs two models, one of them away: does the other's work go on as before, and what does waiting cost?

The real model layer asks the simulated provider in a process of its own, through a registry with two chains of one
model each. The model that is away refuses connections, then hangs, then refuses again.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import psutil

from infra.bench.auditor import verdict
from infra.bench.bench import Bench, Run
from infra.bench.figures import Figures, rate
from infra.bench.notes import END
from infra.bench.registry import write_registry
from infra.bench.sample.pipeline import ASK, NORTH, SOUTH
from infra.local.parts.ports import free_port

OUTAGE = ("connection", "hang", "connection")
"""How the model fails, each for a third of the time it is away."""
LOOKS = 10
"""How often the memory is looked at meanwhile, in each third."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    documents: int
    """Backlog, half of it for each model."""
    in_flight: int
    """Calls at once."""
    latency_ms: int
    """How long the models think."""
    before: float
    """Seconds for which the rate is taken before the outage."""
    away: float
    """Seconds of each way to fail."""
    timeout: float
    """Seconds after which a call is given up."""
    recovery: float
    """Seconds that a breaker stays open."""


FULL = Size(documents=20_000, in_flight=64, latency_ms=700, before=20.0, away=60.0, timeout=10.0, recovery=10)
SMALL = Size(documents=600, in_flight=16, latency_ms=200, before=1.5, away=1.0, timeout=3.0, recovery=1)


def two_models(bench: Bench) -> Figures:
    """Work the backlog off, with an outage of one model in the middle."""
    size = SMALL if bench.small else FULL
    models = {NORTH: f"sim-{uuid.uuid4().hex[:8]}", SOUTH: f"sim-{uuid.uuid4().hex[:8]}"}
    port = free_port()
    told = {
        "PENSTOCK_IN_FLIGHT": str(size.in_flight),
        "PENSTOCK_BREAKER__RECOVERY": f"{size.recovery:g}",
        "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{port}",
    } | write_registry(
        bench.folder / f"{models[NORTH]}.toml", {chain: [name] for chain, name in models.items()}, size.timeout
    )
    simulated = {"PENSTOCK_MODELSIM_PORT": str(port), "PENSTOCK_MODELSIM_LATENCY_MS": str(size.latency_ms)}
    with Run(bench, ASK, told) as run:
        run.herd.start("infra.modelsim", **simulated)
        run.publish(documents(size.documents))
        process = psutil.Process(run.start().pid)
        run.herd.wait_until(lambda: len(run.notes.of(END)) > 2 * size.in_flight, 60)
        began = time.monotonic()
        run.herd.reaches(lambda: False, size.before)
        broken, rss = time.monotonic(), [process.memory_info().rss]
        for fault in OUTAGE:
            bench.say(f"two models: {NORTH} fails for {size.away:g} s: {fault}")
            order(port, "POST", {"model": models[NORTH], "fault": fault})
            for _ in range(LOOKS):
                run.herd.reaches(lambda: False, size.away / LOOKS)
                rss.append(process.memory_info().rss)
            order(port, "DELETE")
        mended = time.monotonic()
        run.wait_for_the_end()
        return told_of(bench, run, (began, broken, mended), rss)


def told_of(bench: Bench, run: Run, moments: tuple[float, float, float], rss: list[int]) -> Figures:
    """The figures of a run; moments are those at which the rate is first taken, the outage begins, and it ends."""
    began, broken, mended = moments
    other = sorted(note.at for note in run.notes.of(END) if note.document.startswith(SOUTH))
    # The other model's documents may all be done before the outage is over.
    usual, meanwhile = rate(other, began, broken), rate(other, broken, min(mended, other[-1]))
    dead, retried = run.records("dead"), run.records("retries")
    parked = run.records("parked")
    ended_otherwise = {record.key.decode() for record in dead}
    figures = verdict((call for call in run.published if call[0] not in ended_otherwise), run.results())
    figures |= {
        "other_model_rate": meanwhile / usual,
        "attempts_spent": len(retried) + len(dead) + sum("penstock-attempts" in one.headers for one in parked),
        "outage_dead_letters": len(dead),
        "outage_parked": len(parked),
        "outage_rss_growth_mib": (max(rss) - rss[0]) / 2**20,
    }
    bench.say(f"two models: {usual:.0f}/s before, {meanwhile:.0f}/s meanwhile; {figures}")
    return figures


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Half for each model, so that every partition holds both."""
    for number in range(count // 2):
        for chain in (NORTH, SOUTH):
            yield {"document_id": f"{chain}{number}", "chain": chain}


def order(port: int, method: str, body: dict[str, Any] | None = None) -> None:
    """Tell the simulated provider to fail, or to stop failing."""
    data = json.dumps(body).encode() if body else None
    request = Request(f"http://127.0.0.1:{port}/faults", data, {"content-type": "application/json"}, method=method)
    with urlopen(request, timeout=10) as answer:
        answer.read()


def bill(port: int, *, items: bool = False) -> dict[str, Any]:
    """What the simulated provider charges, by model; with each named call where that is wanted."""
    with urlopen(f"http://127.0.0.1:{port}/bill{'?items' if items else ''}", timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
    return said
