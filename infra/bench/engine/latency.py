"""End to end: how long a plain text takes through the five services, with models that take no time, at 50 a second."""

import threading
import time
import urllib.error
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.figures import Figures, percentile
from infra.bench.herd import Herd
from infra.local.parts.ports import free_port
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS
from shared.setting_names import PROVIDERS

SUBMITTED = outsider.load(Path(__file__).parents[3] / "schemas" / "DocumentSubmitted.avsc")
NOBODY = dict.fromkeys(PROVIDERS, "")
"""Keys of whoever runs this: nobody's money is spent."""
PER_SECOND = 50
WARM_SECONDS = 2
"""Seconds whose documents are published and not counted: the first ones find every cache empty."""
INVOICE = """INVOICE

Invoice number: {name}
Invoice date: 2026-03-01
Due date: 2026-03-31

From: Alder Works Ltd
Bill to: Birch Trading GmbH

Oak planks, 10 pieces, 12.00 each

Total: 120.00 EUR

Please pay within 30 days. The planks were delivered on 2 March to the north gate.
"""


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


@dataclass(frozen=True, slots=True)
class Ports:
    """Where what was started listens."""

    provider: int
    """The simulated provider."""
    health: tuple[int, ...]
    """Each stage's health."""


def start(herd: Herd, latency_ms: int = 0) -> Ports:
    """Start the provider and every stage, and wait until each says that it is ready."""
    simulated = free_port()
    herd.start("infra.modelsim", PENSTOCK_MODELSIM_PORT=str(simulated), PENSTOCK_MODELSIM_LATENCY_MS=str(latency_ms))
    ports = [free_port() for _ in DOCUMENTS.stages]
    for stage, port in zip(DOCUMENTS.stages, ports, strict=True):
        settings = {
            "PENSTOCK_HEALTH_PORT": str(port),
            "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{simulated}",
        }
        herd.start(f"services.{stage.name}", **settings)
    herd.wait_until(lambda: all(ready(port) for port in ports), 90, lambda: "the services are not ready")
    return Ports(simulated, tuple(ports))


def ready(port: int) -> bool:
    """Whether a service says that it can take work."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def paced(names: list[str], sent: dict[str, float]) -> Iterator[dict[str, Any]]:
    """The documents, each at its moment; notes when that was."""
    began = time.monotonic()
    for number, name in enumerate(names):
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0.0))
        record = {"document_id": name, "content": INVOICE.format(name=name).encode()}
        sent[name] = time.time()
        yield {"key": name, "value": outsider.encoded(SUBMITTED, record)}
