"""Retry lateness: how long after they were due records come back from their delay tier, and whether one comes early."""

import time
from collections.abc import Iterable
from typing import Any

from infra.bench.auditor import verdict
from infra.bench.bench import Bench, Run
from infra.bench.figures import Figures, percentile, together
from infra.bench.notes import BEGIN, FAILED
from infra.bench.sample.pipeline import WORK

TIERS = {1: 1.0, 2: 3.0}
"""Failed attempt to the seconds its record has to wait, as the sample's policy has it."""
CLOCKS = 0.002
"""Seconds by which the two clocks that are compared may differ: record times are whole milliseconds."""


SECONDS = 0.5
"""A call of the backlog."""
IN_FLIGHT = 64


def lateness(bench: Bench) -> Figures:
    """Every document of a burst fails twice; then one in ten of those that wait behind one another for slow calls."""
    burst, backlog = (300, 600) if bench.small else (3000, 6000)
    failing = len(TIERS)
    alone, audited = late(bench, ({"document_id": f"d{i}", "failures": failing} for i in range(burst)), 256)
    jobs = ({"document_id": f"d{i}", "seconds": SECONDS, "failures": 0 if i % 10 else failing} for i in range(backlog))
    behind, also = late(bench, jobs, IN_FLIGHT)
    everything = alone + behind
    figures = {
        "retry_records": len(everything),
        "retry_early": sum(seconds < -CLOCKS for seconds in everything),
        "retry_late_p50_ms": percentile(alone, 0.5) * 1000,
        "retry_late_p99_ms": percentile(alone, 0.99) * 1000,
        "retry_late_backlog_p99_ms": percentile(behind, 0.99) * 1000,
    }
    bench.say("retry lateness: " + ", ".join(f"{name} {figure:.0f}" for name, figure in figures.items()))
    return together((audited, also)) | figures


def late(bench: Bench, jobs: Iterable[dict[str, Any]], in_flight: int) -> tuple[list[float], Figures]:
    """Seconds that each record came back after it was due, and the audit.

    Late is what goes beyond append time and tier: the jitter, at most a tenth of the tier, is counted as lateness.
    """
    with Run(bench, WORK, {"PENSTOCK_IN_FLIGHT": str(in_flight)}) as run:
        run.publish(jobs)
        run.start()
        run.wait_for_the_end()
        ahead = time.time() - time.monotonic()
        tried = {(n.document, n.attempt): n.at + ahead for n in run.notes.all() if n.kind in (BEGIN, FAILED)}
        found = []
        for record in run.records("retries"):
            failed = int(record.headers["penstock-attempts"])
            if (again := tried.get((record.key.decode(), failed + 1))) is not None:
                found.append(again - record.milliseconds / 1000 - TIERS[failed])
        return found, verdict(run.published, run.results())
