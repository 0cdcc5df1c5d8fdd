"""How many events a second go into the journal; and killed again and again it comes to the same tables from nothing.

The events are those that real documents leave behind on their way through the whole pipeline, many times over.
"""

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.figures import Figures
from infra.bench.herd import Herd, Process
from infra.bench.insights.pipelines import named, setting
from schemas.events import (
    Analysis,
    Classification,
    DocumentAnalyzed,
    DocumentClassified,
    DocumentResult,
    DocumentSubmitted,
    DocumentValidated,
    ModelCall,
    Source,
    Submission,
    TextExtracted,
    Validation,
)
from shared.codec.avro import AvroCodec
from shared.core.event import Event
from shared.database.journal import JournalTable
from shared.database.pool import Database, open_database
from shared.kafka.admin import ensure, plan

MOMENT = datetime.now(UTC).replace(microsecond=0)
TEXT = "Invoice number 4711, oak planks, ten pieces, to be paid within thirty days. " * 25
"""About two kilobytes, as a page has them."""
TABLES = ("journal_entries", "journal_documents", "journal_positions")
SECONDS = 300.0


def journal(bench: Bench) -> Figures:
    """Write events, follow them, kill the journal at random while it follows them once more, compare the tables."""
    documents, kills = (500, 3) if bench.small else (10_000, 10)
    pipeline = named(f"journal_{uuid.uuid4().hex[:8]}")
    ensure({"bootstrap.servers": bench.kafka}, plan(pipeline))
    for topic, records in ways(documents):
        outsider.publish(bench.kafka, f"{pipeline.name}.{topic}", records)
    wanted = documents * len(HOPS)
    bench.say(f"journal: {wanted:,} events")
    folder = bench.folder / pipeline.name
    folder.mkdir()
    with (
        Herd(bench.parts, folder, **setting(pipeline)) as herd,
        Look(bench.parts.database or "", pipeline.name) as look,
    ):
        process = herd.start("services.journal")
        rate = followed(herd, look, wanted)
        first = look.run(told)
        memory = resident(process)
        look.run(empty)
        ended(process)
        for number in range(kills):
            process = herd.start("services.journal")
            goal = random.randint(number, number + 1) * wanted // kills
            reaches(herd, look, max(goal, 1))
            ended(process)
        herd.start("services.journal")
        reaches(herd, look, wanted)
        second = look.run(told)
    differs = sum(one != other for one, other in zip(first, second, strict=True))
    bench.say(f"journal: {rate:,.0f} events/s, {memory} MiB, {differs} tables differ after {kills} kills")
    return {"journal_rate": rate, "journal_mib": memory, "journal_kills": kills, "journal_differs": differs}


class Look:
    """What is in the tables; use it as a context manager."""

    def __init__(self, url: str, pipeline: str) -> None:
        self._runner = asyncio.Runner()
        self._opened = open_database(url, "bench")
        self._pipeline = pipeline

    def __enter__(self) -> "Look":
        self._database = self._runner.run(self._opened.__aenter__())
        return self

    def __exit__(self, *raised: Any) -> None:
        self._runner.run(self._opened.__aexit__(*raised))
        self._runner.close()

    def run(self, ask: Callable[[Database, str], Coroutine[Any, Any, Any]]) -> Any:
        """Ask."""
        return self._runner.run(ask(self._database, self._pipeline))


async def count(database: Database, pipeline: str) -> int:
    """Entries, as the positions tell: nothing here is transactional, so each offset is a record."""
    rows = await database.rows(
        "select coalesce(sum(next), 0)::int as entries from journal_positions where pipeline = %s", [pipeline]
    )
    return int(rows[0]["entries"])


async def told(database: Database, pipeline: str) -> list[str]:
    """A mark of everything in each table."""
    found = []
    for name in TABLES:
        rows = await database.rows(f"select * from {name} where pipeline = %s order by 1, 2, 3, 4", [pipeline])
        found.append(hashlib.sha256(repr([[*row.values()] for row in rows]).encode()).hexdigest())
    return found


async def empty(database: Database, pipeline: str) -> None:
    """Forget everything."""
    await JournalTable(database, pipeline).empty()


def followed(herd: Herd, look: Look, wanted: int) -> float:
    """Events a second, from the first that is there to the last."""
    seen: list[tuple[float, int]] = []

    def there() -> bool:
        entries = look.run(count)
        if entries:
            seen.append((time.monotonic(), entries))
        return bool(entries >= wanted)

    herd.wait_until(there, SECONDS, lambda: f"{seen[-1:]} of {wanted} events")
    (began, before), (ends, after) = seen[0], seen[-1]
    return (after - before) / (ends - began) if ends > began else float("nan")


def reaches(herd: Herd, look: Look, entries: int) -> None:
    """Wait until so many are there."""
    herd.wait_until(lambda: look.run(count) >= entries, SECONDS, lambda: f"{look.run(count)} of {entries} events")


def ended(process: Process) -> None:
    """Kill it."""
    process.kill()
    process.wait(10)


def resident(process: Process) -> int:
    """Memory of the process that a leash holds, MiB; 0 where that cannot be told."""
    try:
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        return 0
    return kib // 1024


def hops(name: str) -> dict[str, Event]:
    """What one document leaves behind, topic by topic."""
    common: dict[str, Any] = {"document_id": name, "tenant": "default", "version": 1, "batch_id": f"b{name[-1]}"}
    submission = Submission(
        filename=f"{name}.txt", content_type="text/plain", tasks=("extraction",), metadata={}, submitted_at=MOMENT
    )
    source = Source(media_type="text/plain", sha256="0" * 64, size=2000, pages=1, method="text", warnings=())
    text = common | {"submission": submission, "source": source, "text": TEXT}
    typed = text | {
        "classification": Classification(document_type="invoice", track="technical", confidence=0.98, reason="title")
    }
    call = ModelCall(
        task="extraction", provider="sim", model="sim-large", prompt="extract-fields@1", input_tokens=700,
        output_tokens=90, cost_usd=0.0021, milliseconds=800, outcome="ok",
    )  # fmt: skip
    fields = {f"field_{number}": f"value {number}" for number in range(8)}
    analysis = Analysis(fields=fields, summary="", answers={}, confidence=0.9, calls=(call,), choices=(), missing=())
    read = typed | {"analysis": analysis}
    ids = [f"{name}-{hop}" for hop in range(5)]
    return {
        "ingest": DocumentSubmitted(content=TEXT.encode(), **common),
        "classify": TextExtracted(event_id=ids[0], **text),
        "analyze": DocumentClassified(event_id=ids[1], **typed),
        "validate": DocumentAnalyzed(event_id=ids[2], **read),
        "store": DocumentValidated(
            event_id=ids[3], validation=Validation(quality=0.9, problems=(), spans={}), **read
        ),
        "results": DocumentResult(
            event_id=ids[4], state="stored", document_type="invoice", track="technical", confidence=0.98,
            fields=fields, summary="", answers={}, quality=0.9, models=("sim-large",), cost_usd=0.0021, reason="",
            metadata={}, submitted_at=MOMENT, finished_at=MOMENT, **common,
        ),
    }  # fmt: skip


HOPS = tuple(hops("d0"))
"""The topics."""


def ways(documents: int) -> Iterator[tuple[str, Iterator[tuple[str, bytes]]]]:
    """Topic by topic the records of so many documents."""
    kinds = {type(event): None for event in hops("d0").values()}
    codec = AvroCodec(kinds)

    def records(topic: str) -> Iterator[tuple[str, bytes]]:
        for number in range(documents):
            name = f"d{number}"
            yield name, codec.encode(hops(name)[topic])

    for topic in HOPS:
        yield topic, records(topic)
