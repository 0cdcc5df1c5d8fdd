"""A provider down for minutes, four workers, two models: with `fallback = "wait"`, and once more with `"next"`.

The chains are the same both times, and so is the outage: the first model of the first chain refuses (503), then hangs.
What waits is looked at from outside: what the provider was asked meanwhile, what stands in the topics, what the
processes noted.
"""

import math
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.bench import outsider
from infra.bench.auditor import verdict
from infra.bench.bench import Bench, Run
from infra.bench.engine.two_models import Size, bill, documents, order
from infra.bench.figures import Figures, rate, together
from infra.bench.notes import BEGIN, END, Note, answered_by
from infra.bench.registry import write_registry
from infra.bench.sample.pipeline import ASK, NORTH, SOUTH
from infra.local.parts.ports import free_port
from shared.core.remedies import Fallback
from shared.core.topics import group

OUTAGE = ("overloaded", "hang")
"""How the model fails, each for half of the time it is away."""
WORKERS = 4
CALLS = 4
"""Calls one after another in which every worker has ended one before the rates are taken."""
WINDOW = 2.0
"""Seconds over which the rate is taken after the outage."""
FULL_RATE = 0.95
"""What counts as the full rate again."""


FULL = Size(documents=20_000, in_flight=16, latency_ms=2000, before=20, away=150, timeout=10, recovery=10)
SMALL = Size(documents=1000, in_flight=8, latency_ms=200, before=1, away=1.5, timeout=1.5, recovery=1)


@dataclass(frozen=True, slots=True)
class Moments:
    """When what happened, monotonic seconds."""

    began: float
    """Rates are taken from here on."""
    broken: float
    """The model is away."""
    settled: float
    """Every call that was in flight then has failed."""
    mended: float
    """It is back."""
    asked: int
    """Requests that reached it from `settled` to `mended`."""


WAITING = ("dead_letters", "attempts", "rebalances", "other_model", "probes_per_interval", "full_rate_s", "strayed")
FALLING_BACK = ("dead_letters", "attempts", "parked", "answers_of_second")


def outage(bench: Bench) -> Figures:
    """Once with the setting that has documents wait for their model, and once with the one that asks the next."""
    size = SMALL if bench.small else FULL
    waiting, audited = suffered(bench, size, chains(), Fallback.WAIT)
    falling, also = suffered(bench, size, chains(), Fallback.NEXT)
    figures = {f"outage_{key}": waiting[key] for key in WAITING}
    return together((audited, also)) | figures | {f"fallback_{key}": falling[key] for key in FALLING_BACK}


def chains() -> dict[str, list[str]]:
    """Two chains: one with a model that answers while its first one is away, and that model's own."""
    north, south = (f"sim-{uuid.uuid4().hex[:8]}" for _ in range(2))
    return {NORTH: [north, south], SOUTH: [south]}


def suffered(bench: Bench, size: Size, chains: Mapping[str, list[str]], fallback: Fallback) -> tuple[Figures, Figures]:
    """Work the backlog off, with an outage of the first chain's first model in the middle; gives figures and audit."""
    port, north = free_port(), chains[NORTH][0]
    told = {
        "PENSTOCK_IN_FLIGHT": str(size.in_flight),
        "PENSTOCK_FALLBACK": fallback.value,
        "PENSTOCK_BREAKER__RECOVERY": f"{size.recovery:g}",
        "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{port}",
    } | write_registry(bench.folder / f"{north}.toml", chains, size.timeout)
    simulated = {"PENSTOCK_MODELSIM_PORT": str(port), "PENSTOCK_MODELSIM_LATENCY_MS": str(size.latency_ms)}
    with Run(bench, ASK, told) as run:
        run.herd.start("infra.modelsim", **simulated)
        run.publish(documents(size.documents))
        for slot in range(WORKERS):
            run.start(slot)
        run.herd.wait_until(lambda: shared_out(bench, run, size), 90)
        moments = away(bench, run, size, (port, north))
        run.wait_for_the_end()
        return told_of(bench, run, size, moments, chains)


def shared_out(bench: Bench, run: Run, size: Size) -> bool:
    """Whether every worker has its partitions and is at work: what moves while they join is no rebalance."""
    since = time.monotonic() - CALLS * size.latency_ms / 1000
    working = len({note.process for note in run.notes.of(END) if note.at > since})
    return working == WORKERS == outsider.shared_by(bench.kafka, group(run.pipeline.name, ASK.name))


def away(bench: Bench, run: Run, size: Size, model: tuple[int, str]) -> Moments:
    """Let the model fail in each way, and count what it is asked once the breakers have opened."""
    port, north = model
    began = time.monotonic()
    run.herd.reaches(lambda: False, size.before)
    broken, settled, asked = 0.0, 0.0, 0
    for fault in OUTAGE:
        bench.say(f"outage: {north} fails for {size.away:g} s: {fault}")
        order(port, "PUT", {"model": north, "fault": fault})
        broken = broken or time.monotonic()
        run.herd.reaches(lambda: False, size.away / 2)
        settled, asked = (settled, asked) if settled else (time.monotonic(), requests(port, north))
        run.herd.reaches(lambda: False, size.away / 2)
    mended, asked = time.monotonic(), requests(port, north) - asked
    order(port, "DELETE")
    return Moments(began, broken, settled, mended, asked)


def requests(port: int, model: str) -> int:
    """How often the simulated provider was asked for a model."""
    return int(bill(port)["models"].get(model, {}).get("requests", 0))


def told_of(
    bench: Bench, run: Run, size: Size, moments: Moments, chains: Mapping[str, list[str]]
) -> tuple[Figures, Figures]:
    """The figures of a run, and its audit."""
    notes = run.notes.of(END)
    north = sorted(note.at for note in notes if note.document.startswith(NORTH))
    south = sorted(note.at for note in notes if note.document.startswith(SOUTH))
    usual = rate(south, moments.began, moments.broken)
    dead, parked = run.records("dead"), run.records("parked")
    second = {note.document for note in run.notes.of(answered_by(chains[NORTH][-1]))}
    begun = {note.document for note in run.notes.of(BEGIN) if note.at > moments.broken}
    meanwhile = {n.document for n in notes if n.document.startswith(NORTH) and n.at < moments.mended} & begun
    figures = {
        "dead_letters": len(dead),
        "attempts": len(run.records("retries")) + sum("penstock-attempts" in one.headers for one in parked),
        "rebalances": moved((note for note in notes if note.at > moments.began), run.partitions()),
        "other_model": rate(south, moments.broken, min(moments.mended, south[-1])) / usual,
        "probes_per_interval": moments.asked / ((moments.mended - moments.settled) / size.recovery),
        "full_rate_s": until_full(north, moments, rate(north, moments.began, moments.broken)),
        "parked": len(parked),
        "strayed": sum(name.startswith(NORTH) for name in second),
        "answers_of_second": len(meanwhile & second) / len(meanwhile) if meanwhile else math.nan,
    }
    bench.say("outage: " + ", ".join(f"{name} {figure:.3g}" for name, figure in figures.items()))
    return figures, verdict(run.published, run.results())


def moved(notes: Iterable[Note], partitions: Mapping[str, int]) -> int:
    """Partitions that more than one process worked on."""
    owners: dict[int, set[int]] = {}
    for note in notes:
        owners.setdefault(partitions[note.document], set()).add(note.process)
    return sum(len(who) > 1 for who in owners.values())


def until_full(ends: list[float], moments: Moments, usual: float) -> float:
    """Seconds from the first answer after the outage until answers come as often as before it; NaN where never."""
    after = [at for at in ends if at > moments.mended]
    for start in after:
        if start + WINDOW > after[-1]:
            break
        if rate(after, start, start + WINDOW) >= FULL_RATE * usual:
            return start - after[0]
    return math.nan
