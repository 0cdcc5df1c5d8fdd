"""Slow calls: how near one process comes to as many at once as it is allowed, and what each of them takes of memory."""

from typing import Any

import psutil

from infra.bench.auditor import verdict
from infra.bench.bench import Bench, Run
from infra.bench.figures import Figures, share_of_ideal, together
from infra.bench.notes import BEGIN, END
from infra.bench.sample.pipeline import WORK

SECONDS = 0.5
PADDING = 4096
"""Bytes of a document whose memory is measured."""
WARM = 20
"""Documents after which a process has opened everything that it opens once."""


def slow_calls(bench: Bench) -> Figures:
    """One process, simulated calls of half a second, 200 and 1,000 of them at once."""
    few, many = (600, 2000) if bench.small else (10_000, 10_000)
    return together((throughput(bench, 200, few), throughput(bench, 1000, many), memory(bench, 1000)))


def throughput(bench: Bench, in_flight: int, documents: int) -> Figures:
    """Achieved over ideal, from the first call's start to the last one's end."""
    with Run(bench, WORK, {"PENSTOCK_IN_FLIGHT": str(in_flight)}) as run:
        run.publish({"document_id": f"d{i}", "seconds": SECONDS} for i in range(documents))
        run.start()
        run.wait_for_the_end()
        begun, ended = run.notes.of(BEGIN), run.notes.of(END)
        audited = verdict(run.published, run.results())
    took = max(note.at for note in ended) - min(note.at for note in begun)
    share = share_of_ideal(len(ended), SECONDS, in_flight, took)
    bench.say(f"slow calls: {documents:,} of {SECONDS} s, {in_flight} at once: {took:.1f} s, {share:.3f} of the ideal")
    return audited | {f"slow_calls_{in_flight}": share}


def memory(bench: Bench, in_flight: int) -> Figures:
    """KiB that a document in flight takes beyond its own size, with nothing else waiting in the process."""
    seconds = 2.0 if bench.small else 5.0
    with Run(bench, WORK, {"PENSTOCK_IN_FLIGHT": str(in_flight)}) as run:

        def running() -> int:
            return len(run.notes.of(BEGIN)) - len(run.notes.of(END))

        process = psutil.Process(run.start().pid)
        run.publish(padded(f"warm{i}", 0.0) for i in range(WARM))
        run.wait_for_the_end()
        idle = process.memory_info().rss
        run.publish(padded(f"d{i}", seconds) for i in range(in_flight))
        # The calls of the first documents may end before those of the last begin, on a slow machine.
        run.herd.wait_until(lambda: len(run.notes.of(BEGIN)) == WARM + in_flight, 60)
        held, full = running(), process.memory_info().rss
        run.wait_for_the_end()
    each = ((full - idle) / held - PADDING) / 1024
    bench.say(
        f"memory: {idle >> 20} MiB idle, {full >> 20} MiB with {held} in flight, {each:.1f} KiB each beyond its own"
    )
    return {"kib_per_document": each}


def padded(name: str, seconds: float) -> dict[str, Any]:
    """A document of some size."""
    return {"document_id": name, "seconds": seconds, "padding": bytes(PADDING)}
