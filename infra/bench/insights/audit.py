"""A run of the whole pipeline with faults holds; and losses and duplicates that are planted in it are all found.

The plants stand in `plants.py`. They are put in by an outsider while the stages rest, each on a document of its own.
"""

import asyncio
import uuid
from collections.abc import Iterator

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
from shared.runtime.schemas import codec_for

SHARES = {"malformed_json": 0.03, "rate_limited": 0.05, "overloaded": 0.02}
"""Part of the calls that fail so, whatever they are about."""
DEAD, ASKED = "Reference: dead", "Reference: asked"
"""In documents that are never read, and in those of which a model invents the fields."""
EACH = 3
"""Documents of either kind."""


def audit(bench: Bench) -> Figures:
    """Run documents, audit, plant, audit again."""
    count = 40 if bench.small else 1000
    mark = uuid.uuid4().hex[:8]
    texts = dict(documents(mark, count))
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"audit-{mark}"
    folder.mkdir()
    with Herd(bench.parts, folder, **NOBODY) as herd:
        port = start(herd, 20).provider
        herd.start("services.review")
        order(port, "POST", {"fault": "malformed_json", "match": DEAD})
        order(port, "POST", {"fault": "ungrounded", "match": ASKED})
        for fault, share in SHARES.items():
            order(port, "POST", {"fault": fault, "share": share, "after": 0.1})
        records = ((name, outsider.encoded(SUBMITTED, submission(name, text))) for name, text in texts.items())
        outsider.publish(bench.kafka, "documents.ingest", records)
        moving = findings(bench)
        settled(bench, herd, texts.keys())
        herd.start("services.journal")
        ends = timelines(bench, herd, texts.keys())
        field = Field(bench.kafka, bench.parts.database or "", mark)
        herd.wait_until(field.reviews_are_noted, 60, lambda: "reviews are not noted")
    clean = moving + findings(bench)
    names = planted(field)
    found = {one.document for one in findings(bench)}
    figures: Figures = {
        "audit_false": len(clean) + len(found - set(names)),
        "audit_planted": len(names),
        "audit_found": len(found & set(names)),
        **ends,
    }
    missed = [f"{what} ({name})" for name, what in names.items() if name not in found]
    strangers = [f"{one.kind} {one.document}: {one.message}" for one in clean][:5] + sorted(found - set(names))[:5]
    bench.say(f"audit: {figures}; missed: {missed}; wrongly told: {strangers}")
    return figures


def findings(bench: Bench) -> list[Finding]:
    """What the audit finds."""

    async def look() -> list[Finding]:
        kafka = {"bootstrap.servers": bench.kafka}
        async with open_database(bench.parts.database or "", "bench") as database:
            auditor = Auditor(
                kafka, DOCUMENTS, codec_for(DOCUMENTS), result_types(DOCUMENTS), database, nothing_to_learn
            )
            return (await auditor.audit(Question())).findings

    return asyncio.run(look())


async def nothing_to_learn() -> None:
    """Every schema here is a released one."""


def documents(mark: str, count: int) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    for number in range(count):
        name = f"{mark}-{number}"
        reference = DEAD if number < EACH else ASKED if number < 2 * EACH else ""
        yield name, f"{INVOICE.format(name=name)}\n{reference}\n"
