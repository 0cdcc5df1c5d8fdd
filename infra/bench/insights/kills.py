"""The insights service killed at random moments under load: its tables against an outsider's recount of the topics.

For the second half a second process takes a part of the partitions, and all of them whenever the first is killed.
Some of the transactions in which the records are written are aborted, as a stage's are when it loses its partitions.
"""

import json
import random
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.insights.pipelines import named, setting
from infra.bench.services import ready
from infra.local.parts.ports import free_port
from schemas.events import DocumentAnalyzed, DocumentClassified, DocumentSubmitted, TextExtracted
from shared.core.context import Call
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.core.tries import Try
from shared.kafka.admin import ensure, plan

SUBMITTED, EXTRACTED, CLASSIFIED, ANALYZED = (
    outsider.schema(kind.__avro__) for kind in (DocumentSubmitted, TextExtracted, DocumentClassified, DocumentAnalyzed)
)
TYPES, MODELS = ("invoice", "letter", "report"), ("large", "small")
BATCH = 50
"""Records of one transaction."""
ABORTED = 0.2
"""The part of them that is aborted."""
READY_SECONDS = 60.0
COUNT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    kills: int
    """How often the service is killed."""
    per_second: int
    """Records a second."""


FULL, SMALL = Size(kills=10, per_second=500), Size(kills=2, per_second=200)


def kills(bench: Bench) -> Figures:
    """Write, kill, start again, and count what is wrong in the end."""
    size = SMALL if bench.small else FULL
    name = f"p{uuid.uuid4().hex[:8]}"
    pipeline = named(name)
    ensure({"bootstrap.servers": bench.kafka}, plan(pipeline))
    folder = bench.folder / f"insights-{name}"
    folder.mkdir()
    dice, stop, port, other = random.Random("insights"), threading.Event(), free_port(), free_port()
    writing = threading.Thread(target=write, args=(bench.kafka, name, size.per_second, stop))
    with Herd(bench.parts, folder, **setting(pipeline)) as herd:
        try:
            process = started(herd, port)
            writing.start()
            for number in range(size.kills):
                # Also in the midst of reading its table back: every second life is a short one.
                if number % 2 == 0:
                    herd.wait_until(lambda: ready(port), READY_SECONDS, lambda: "insights is not ready")
                herd.reaches(lambda: False, dice.uniform(0.2, 4.0))
                process.kill()
                process.wait()
                process = started(herd, port)
                if number == size.kills // 2:
                    # From here on partitions go to and fro between two processes.
                    started(herd, other)
        finally:
            stop.set()
            if writing.ident is not None:
                writing.join()
        expected = recount(bench.kafka, name)
        began = time.monotonic()
        herd.reaches(lambda: totals(port) + totals(other) == expected, COUNT_SECONDS)
        counted = totals(port) + totals(other)
    wrong = sum(abs(counted[key] - expected[key]) for key in counted.keys() | expected.keys())
    bench.say(
        f"kills: {size.kills} times, {expected.total():,} records, {wrong} counted wrong,"
        f" right {time.monotonic() - began:.1f} s after the last one was written"
    )
    return {"insights_kills": size.kills, "insights_records": expected.total(), "insights_wrong": wrong}


def started(herd: Herd, port: int) -> "subprocess.Popen[bytes]":
    """One more life of the service."""
    return herd.start("services.insights", PENSTOCK_HEALTH_PORT=str(port))


def totals(port: int) -> Counter[str]:
    """What the service has counted; nothing while it does not say."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/insights/totals", timeout=10) as answer:
            return Counter(json.load(answer))
    except OSError:
        return Counter()


def write(kafka: str, name: str, per_second: int, stop: threading.Event) -> None:
    """Transactions of records at an even pace, some of them aborted."""
    dice = random.Random("records")
    with outsider.Transactions(kafka, f"{name}-writer") as transactions:
        number, began = 0, time.monotonic()
        while not stop.is_set():
            records = [record_of(dice, name, number + one) for one in range(BATCH)]
            transactions.write(records, abort=dice.random() < ABORTED)
            number += BATCH
            stop.wait(max(began + number / per_second - time.monotonic(), 0))


def record_of(dice: random.Random, name: str, number: int) -> dict[str, Any]:
    """One record: a document that got through extract or analyze, or failed there, or will be tried again."""
    document = f"d{number}"
    said = {"filename": "", "content_type": "text/plain", "tasks": [], "metadata": {}, "submitted_at": 0}
    source = {"media_type": "text/plain", "sha256": "", "size": 1, "pages": 1, "method": "text", "warnings": []}
    kind = {"document_type": dice.choice(TYPES), "track": "technical", "confidence": 0.9, "reason": ""}
    extracted = {"document_id": document, "tenant": "t", "version": 1, "batch_id": "", "text": "x"} | {
        "submission": said,
        "source": source,
    }
    classified = extracted | {"classification": kind}
    model = dice.choice(MODELS)
    match dice.randrange(5):
        case 0:
            return {"topic": f"{name}.classify", "key": document, "value": outsider.encoded(EXTRACTED, extracted)}
        case 1:
            used = {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.0, "milliseconds": 1, "outcome": "ok"}
            call = {"task": "extraction", "provider": "sim", "model": model, "prompt": "extraction@1"} | used
            analysis = {"fields": {}, "summary": "", "answers": {}, "confidence": 0.9, "calls": [call]}
            value = outsider.encoded(ANALYZED, classified | {"analysis": analysis})
            return {"topic": f"{name}.validate", "key": document, "value": value}
        case 2:
            value = outsider.encoded(SUBMITTED, {"document_id": document, "content": b"x"})
            return {"topic": f"{name}.extract.dlq", "key": document, "value": value, "headers": been("extract", "")}
        case _ as which:
            topic = f"{name}.analyze.dlq" if which == 3 else f"{name}.analyze.retry.5s"
            value = outsider.encoded(CLASSIFIED, classified)
            return {"topic": topic, "key": document, "value": value, "headers": been("analyze", model)}


def been(stage: str, model: str) -> list[tuple[str, bytes]]:
    """The headers of a failed record."""
    now = datetime.now(UTC)
    failure = Failure.REFUSAL if model else Failure.CORRUPT
    calls = (Call("extraction", "sim", model, "extraction@1", 1, 1, 0.0, 1, "refusal"),) if model else ()
    tried = (Try(1, now, failure.value, "no", calls),)
    return list(History(stage, failure, "no", 1, now, now, Position("t", 0, 0), tried).to_headers())


def recount(kafka: str, name: str) -> Counter[str]:
    """What the topics hold, read and counted by nobody of ours, in the words of the service's totals."""
    found: Counter[str] = Counter()
    for topic, kind in (
        ("classify", "through"),
        ("validate", "through"),
        ("extract.dlq", "failed"),
        ("analyze.dlq", "failed"),
        ("analyze.retry.5s", "retried"),
    ):
        for record in outsider.read_stamped(kafka, f"{name}.{topic}"):
            for said in _told(topic, kind, record):
                found[json.dumps(said, sort_keys=True)] += 1
    return found


def _told(topic: str, kind: str, record: outsider.Stamped) -> Iterator[dict[str, Any]]:
    said: dict[str, Any] = {"begin": record.milliseconds // 60_000 * 60, "kind": kind, "document_type": ""}
    said |= {"failure": record.headers.get("penstock-failure", b"").decode(), "model": "", "prompt": ""}
    said["stage"] = "extract" if topic in ("classify", "extract.dlq") else "analyze"
    if said["stage"] == "analyze":
        schema = ANALYZED if topic == "validate" else CLASSIFIED
        event = outsider.decoded(schema, record.value)
        said["document_type"] = event["classification"]["document_type"]
        tries = json.loads(record.headers.get("penstock-tries", b"[]"))
        call = event["analysis"]["calls"][0] if topic == "validate" else tries[0]["calls"][0]
        said |= {"model": call["model"], "prompt": call["prompt"]}
    yield said
