"""Retry lateness: how long after they were due records come back from their delay tier, and whether one comes early."""

import time

from infra.bench.auditor import verdict
from infra.bench.engine.bench import Bench, Run
from infra.bench.figures import Figures, percentile
from infra.bench.notes import BEGIN, FAILED
from infra.bench.sample.pipeline import WORK

TIERS = {1: 1.0, 2: 3.0}
"""Failed attempt to the seconds its record has to wait, as the sample's policy has it."""
CLOCKS = 0.002
"""Seconds by which the two clocks that are compared may differ: record times are whole milliseconds."""


def lateness(bench: Bench) -> Figures:
    """A burst of documents, each of which fails twice and then succeeds.

    Late is what goes beyond append time and tier: the jitter, at most a tenth of the tier, is counted as lateness.
    """
    documents = 300 if bench.small else 3000
    with Run(bench, WORK, {"PENSTOCK_IN_FLIGHT": "256"}) as run:
        run.start()
        run.publish({"document_id": f"d{i}", "failures": len(TIERS)} for i in range(documents))
        run.wait_for_the_end()
        ahead = time.time() - time.monotonic()
        tried = {(n.document, n.attempt): n.at + ahead for n in run.notes.all() if n.kind in (BEGIN, FAILED)}
        late = []
        for record in run.records("retries"):
            failed = int(record.headers["penstock-attempts"])
            if (again := tried.get((record.key.decode(), failed + 1))) is not None:
                late.append(again - record.milliseconds / 1000 - TIERS[failed])
        audited = verdict(run.published, run.results())
    p99 = percentile(late, 0.99) * 1000
    early = sum(seconds < -CLOCKS for seconds in late)
    bench.say(f"retry lateness: {len(late):,} records came back, {early} early, p99 {p99:.0f} ms late")
    return audited | {
        "retry_records": len(late),
        "retry_early": early,
        "retry_late_p50_ms": percentile(late, 0.5) * 1000,
        "retry_late_p99_ms": p99,
    }
