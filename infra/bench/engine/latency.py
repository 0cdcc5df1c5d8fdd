"""End to end: how long a plain text takes through the five services, with models that take no time, at 50 a second."""

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.figures import Figures, percentile
from infra.bench.herd import Herd
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

PER_SECOND = 50
WARM_SECONDS = 2
"""Seconds whose documents are published and not counted: the first ones find every cache empty."""


def latency(bench: Bench) -> Figures:
    """Publish at a steady pace and take, for each document, the time until its result can be read."""
    seconds = 2 if bench.small else 60
    mark = uuid.uuid4().hex[:8]
    names = [f"{mark}-{number}" for number in range(PER_SECOND * (WARM_SECONDS + seconds))]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"documents-{mark}"
    folder.mkdir()
    sent: dict[str, float] = {}
    arrived: dict[str, float] = {}
    stop = threading.Event()

    def listen() -> None:
        for record, at in outsider.follow(bench.kafka, "documents.results", stop.is_set):
            arrived.setdefault(record.key.decode(), at)

    with Herd(bench.parts, folder, **NOBODY) as herd, ThreadPoolExecutor(1) as pool:
        start(herd)
        listening = pool.submit(listen)
        try:
            bench.say(f"latency: {PER_SECOND} documents/s for {seconds} s")
            outsider.send(bench.kafka, "documents.ingest", paced(names, sent))
            herd.reaches(lambda: arrived.keys() >= set(names), 30)
        finally:
            stop.set()
        listening.result()
    counted = [name for name in names[PER_SECOND * WARM_SECONDS :] if name in arrived]
    took = [(arrived[name] - sent[name]) * 1000 for name in counted]
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    bench.say(f"latency: p50 {p50:.0f} ms, p99 {p99:.0f} ms over {len(took):,} documents")
    return {
        "documents": len(names),
        "lost": len(set(names) - arrived.keys()),
        "pipeline_p50_ms": p50,
        "pipeline_p99_ms": p99,
    }


def paced(names: list[str], sent: dict[str, float]) -> Iterator[dict[str, Any]]:
    """The documents, each at its moment; notes when that was."""
    began = time.monotonic()
    for number, name in enumerate(names):
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0.0))
        record = {"document_id": name, "content": INVOICE.format(name=name).encode()}
        sent[name] = time.time()
        yield {"key": name, "value": outsider.encoded(SUBMITTED, record)}
