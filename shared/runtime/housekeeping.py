"""What is done for a pipeline now and then, beside the journal: the audit for its gauges, and the janitor.

One after the other, never both: each reads much, and neither has any hurry. Nothing of the pipeline waits for them.
"""

import asyncio
import time
from dataclasses import dataclass

from shared.core.conservation.facts import DELETED, DOUBLED, MISSING, UNEXPLAINED
from shared.core.errors import Failed, PenstockError, Unavailable
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.auditing import Auditor
from shared.runtime.janitor import Janitor

log = logger("journal")

LOOK_SECONDS = 1.0
"""How often it looks whether something is due."""


@dataclass(frozen=True, slots=True)
class Hours:
    """How often what is done; 0: never."""

    audit: float
    """Seconds between two audits."""
    janitor: float
    """Seconds between two runs of the janitor."""


async def keep_house(janitor: Janitor, metrics: Metrics, hours: Hours) -> None:
    """Do what is due, for ever."""
    began = time.monotonic()
    audited = swept = began
    while hours.audit or hours.janitor:
        await asyncio.sleep(LOOK_SECONDS)
        now = time.monotonic()
        # The janitor first: behind its fold an audit reads less.
        if hours.janitor and now - swept >= hours.janitor:
            await sweep(janitor, metrics)
            swept = time.monotonic()
        if hours.audit and now - audited >= hours.audit:
            await audit(janitor.auditor, metrics)
            audited = time.monotonic()


async def sweep(janitor: Janitor, metrics: Metrics) -> None:
    """Run the janitor once; what keeps it from working is logged, and by its time whoever watches sees it."""
    try:
        done = await janitor.sweep()
    except PenstockError as error:
        log.warning("nothing deleted", reason=str(error))
        return
    metrics.janitor_deleted().inc(done.deleted)
    metrics.swept_at().set(time.time())


async def audit(auditor: Auditor, metrics: Metrics) -> None:
    """Audit once, for the gauges."""
    began = time.monotonic()
    try:
        found = await auditor.audit()
    except (Unavailable, Failed) as error:
        # The time of the last audit stays as it is, and whoever watches the gauges looks at that.
        log.warning("no audit", reason=error.message)
        return
    for kind in (MISSING, DOUBLED, UNEXPLAINED, DELETED):
        metrics.audit_findings(kind).set(sum(one.kind == kind for one in found.findings))
    metrics.audit_seconds().set(time.monotonic() - began)
    metrics.audited_at().set(time.time())
