"""A run of the whole pipeline with faults holds; and losses and duplicates that are planted in it are all found.

The plants stand in `plants.py`. They are put in by an outsider while the stages rest, each on a document of its own.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.engine.two_models import order
from infra.bench.failures.mixed import settled, submission
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.insights.plants import Field, planted
from infra.bench.insights.timelines import timelines
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from shared.core.conservation.facts import Finding
from shared.core.conservation.verdict import Question
from shared.database.pool import open_database
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS
from shared.pipelines.ended import result_types
from shared.runtime.auditing import Auditor
from shared.runtime.folding import fold
from shared.runtime.schemas import codec_for

T = TypeVar("T")

SHARES = {"malformed_json": 0.03, "rate_limited": 0.05, "overloaded": 0.02}
"""Part of the calls that fail so, whatever they are about."""
DEAD, ASKED = "Reference: dead", "Reference: asked"
"""In documents that are never read, and in those of which a model invents the fields."""
EACH = 3
"""Documents of either kind."""


def audit(bench: Bench) -> Figures:
    """Run documents, audit, fold, plant, audit again, fold and audit once more."""
    count = 40 if bench.small else 1000
    mark = uuid.uuid4().hex[:8]
    texts = dict(documents(mark, count))
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"audit-{mark}"
    folder.mkdir()
    with Herd(bench.parts, folder, **NOBODY) as herd:
        published(bench, herd, texts)
        moving = findings(bench)
        settled(bench, herd, texts.keys())
        herd.start("services.journal")
        ends = timelines(bench, herd, texts.keys())
        field = Field(bench.kafka, bench.parts.database or "", mark)
        herd.wait_until(field.reviews_are_noted, 60, lambda: "reviews are not noted")
    clean = moving + findings(bench)
    folded(bench)
    clean += findings(bench)
    names = planted(field)
    # What was planted behind the fold is to be found there, and when it is folded itself.
    behind = {one.document for one in findings(bench)}
    folded(bench)
    found = {one.document for one in findings(bench)}
    strange, found = (behind | found) - set(names), behind & found
    figures: Figures = {
        "audit_false": len(clean) + len(strange),
        "audit_planted": len(names),
        "audit_found": len(found & set(names)),
        **ends,
    }
    missed = [f"{what} ({name})" for name, what in names.items() if name not in found]
    strangers = [f"{one.kind} {one.document}: {one.message}" for one in clean][:5] + sorted(strange)[:5]
    bench.say(f"audit: {figures}; missed: {missed}; wrongly told: {strangers}")
    return figures


def published(bench: Bench, herd: Herd, texts: Mapping[str, str]) -> None:
    """Start the stages, have models fail, and publish."""
    port = start(herd, 20).provider
    herd.start("services.review")
    order(port, "POST", {"fault": "malformed_json", "match": DEAD})
    order(port, "POST", {"fault": "ungrounded", "match": ASKED})
    for fault, share in SHARES.items():
        order(port, "POST", {"fault": fault, "share": share, "after": 0.1})
    records = ((name, outsider.encoded(SUBMITTED, submission(name, text))) for name, text in texts.items())
    outsider.publish(bench.kafka, "documents.ingest", records)


def findings(bench: Bench) -> list[Finding]:
    """What the audit finds."""
    return asyncio.run(with_auditor(bench, lambda auditor: auditor.audit(Question()))).findings


def folded(bench: Bench) -> None:
    """Move the audit's checkpoint to the ends."""
    done = asyncio.run(with_auditor(bench, fold))
    bench.say(f"folded: {done}")


async def with_auditor(bench: Bench, do: Callable[[Auditor], Coroutine[Any, Any, T]]) -> T:
    """Do something with an auditor of the shipped pipeline."""
    kafka = {"bootstrap.servers": bench.kafka}
    async with open_database(bench.parts.database or "", "bench") as database:
        return await do(
            Auditor(kafka, DOCUMENTS, codec_for(DOCUMENTS), result_types(DOCUMENTS), database, nothing_to_learn)
        )


async def nothing_to_learn() -> None:
    """Every schema here is a released one."""


def documents(mark: str, count: int) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    for number in range(count):
        name = f"{mark}-{number}"
        reference = DEAD if number < EACH else ASKED if number < 2 * EACH else ""
        yield name, f"{INVOICE.format(name=name)}\n{reference}\n"
