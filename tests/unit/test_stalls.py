"""The gauge of stuck documents: what is overdue and has no excuse, and nothing from a journal that is behind."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from shared.core.breaker import pause_of
from shared.core.errors import Unavailable
from shared.core.passes import Pass
from shared.database.passes import Passes
from shared.observe.metrics import Metrics
from shared.pipelines.documents import DOCUMENTS
from shared.ports import BreakerReport, BreakerState
from shared.runtime.stalls import StuckGauge, shuts_in
from tests.unit.test_passes import NOW, gone


@dataclass
class Known:
    """A journal in which 40 documents went through analyze in a second each, and these stand there."""

    standing: Mapping[str, tuple[str, float]]
    away: bool = False
    asked: int = 0

    async def last(self, now: datetime) -> list[Pass]:
        self.asked += 1
        if self.away:
            raise Unavailable("database", "PostgreSQL is away")
        return [gone(f"d{number}", 1000 - number, 1, 2) for number in range(40)]

    async def overdue(self, stage: str, before: datetime, most: int) -> list[Mapping[str, Any]]:
        rows = [
            {"document_id": name, "state": state, "topic": topic(state), "at": NOW - timedelta(seconds=seconds)}
            for name, (state, seconds) in self.standing.items()
        ]
        return [row for row in rows if stage == "analyze" and cast(datetime, row["at"]) < before]


@dataclass
class Registry:
    """The breakers."""

    known: Sequence[BreakerReport] = field(default_factory=list)

    async def reports(self) -> Sequence[BreakerReport]:
        return self.known


def topic(state: str) -> str:
    return "documents.analyze.retry.1m" if state == "in-retry" else "documents.analyze"


def open_(name: str) -> BreakerReport:
    return BreakerReport(name, BreakerState.OPEN, NOW - timedelta(seconds=100), "away", 5, 5, 60.0, 0, 0.0)


def gauge(journal: Known, registry: Registry, is_current: Callable[[], bool] = lambda: True) -> StuckGauge:
    metrics = Metrics("documents", "journal")
    return StuckGauge(cast(Passes, journal), DOCUMENTS, registry, metrics, is_current)


async def counted(journal: Known, *reports: BreakerReport) -> str:
    """What the metrics say."""
    one = gauge(journal, Registry(reports))
    await one.count(NOW)
    lines = one.metrics.exposition().decode().splitlines()
    return ", ".join(line.partition("at=")[2] for line in lines if line.startswith("penstock_documents_stuck{"))


STANDING = {
    "late": ("waiting", 90.0),
    "soon": ("waiting", 20.0),
    "not due": ("in-retry", 60.0),
    "due": ("in-retry", 70.0),
    "overdue": ("in-retry", 100.0),
}


async def test_only_who_stands_for_longer_than_explained_counts() -> None:
    assert await counted(Known(STANDING)) == '"analyze",pipeline="documents",stage="journal"} 2.0'
    assert "} 0.0" in await counted(Known(STANDING), open_("model:sim-large"))
    assert "} 0.0" in await counted(Known(STANDING), open_(pause_of("documents", "analyze")))
    assert "} 2.0" in await counted(Known(STANDING), open_(pause_of("other", "analyze")), open_("database"))


def test_pauses_of_other_pipelines_are_no_breakers() -> None:
    found = shuts_in("documents", [open_(pause_of("other", "analyze")), open_(pause_of("documents", "extract"))])
    assert (found.breakers, [one.name for one in found.pauses]) == ([], ["extract"])


async def test_one_that_is_behind_or_cannot_be_asked_says_nothing_new() -> None:
    behind, away = Known(STANDING), Known(STANDING, away=True)
    for journal, current in ((behind, False), (away, True)):
        looks: list[bool] = []
        twice = asyncio.Event()

        def is_current(current: bool = current, looks: list[bool] = looks, twice: asyncio.Event = twice) -> bool:
            looks.append(current)
            if len(looks) > 1:
                twice.set()
            return current

        one = gauge(journal, Registry(), is_current)
        following = asyncio.create_task(one.follow(0.0))
        async with asyncio.timeout(10):
            await twice.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        assert bool(one.trouble) == current
        assert "penstock_documents_stuck{" not in one.metrics.exposition().decode()
    assert (behind.asked, away.asked > 0) == (0, True)
