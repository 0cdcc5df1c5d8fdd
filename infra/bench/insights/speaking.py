"""How soon the first sentence comes: five services at work, a model that will have nothing of one tenant's texts."""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.engine.two_models import order
from infra.bench.figures import Figures
from infra.bench.herd import Herd, Unreached
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

FAULT = "content_policy"
MARK = "Reference: of no use to a model"
SHARE = 0.7
"""The part of the tenant's documents that has the mark."""
SECONDS = 120.0
DEAD = "documents.analyze.dlq"


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    failures: int
    """The failure from which on a sentence is waited for."""
    per_second: float
    """Documents a second."""


FULL, SMALL = Size(failures=200, per_second=20), Size(failures=40, per_second=20)


def speaking(bench: Bench) -> Figures:
    """Hand documents in at an even pace, and ask until something is said of that tenant."""
    size = SMALL if bench.small else FULL
    tenant = f"tenant-{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / tenant
    folder.mkdir()
    with Herd(bench.parts, folder, **NOBODY) as herd:
        order(start(herd).provider, "POST", {"fault": FAULT, "match": MARK})
        stop = threading.Event()
        pace = paced(tenant, size, stop)
        sending = threading.Thread(target=outsider.send, args=(bench.kafka, "documents.ingest", pace))
        sending.start()
        try:
            deadline, said, at, failures = time.monotonic() + SECONDS, None, 0.0, []
            while time.monotonic() < deadline and (said is None or len(failures) < size.failures):
                if said is None and (said := first_sentence(herd, tenant)) is not None:
                    at = time.time()
                failures = [record.milliseconds / 1000 for record in outsider.read_stamped(bench.kafka, DEAD)]
        finally:
            stop.set()
            sending.join()
    if said is None or len(failures) < size.failures:
        raise Unreached(f"after {SECONDS:g} s and {len(failures)} failures nothing was said of {tenant}")
    before = sum(when <= at for when in failures)
    bench.say(f"speaking: after {before} failures: {said['sentence']}")
    late = at - sorted(failures)[size.failures - 1]
    return {"first_sentence_s": max(late, 0.0), "first_sentence_failures": before}


def first_sentence(herd: Herd, tenant: str) -> dict[str, Any] | None:
    """What the command says of the tenant's failures."""
    [said] = herd.penstock("insights")
    for one in said["insights"]:
        named = {condition["value"] for condition in one["group"]}
        if one["failure"] == FAULT and tenant in named:
            return dict(one)
    return None


def paced(tenant: str, size: Size, stop: threading.Event) -> Iterator[dict[str, Any]]:
    """Documents of that tenant and of others, each at its moment."""
    dice, began, number = random.Random("speaking"), time.monotonic(), 0
    while not stop.is_set():
        stop.wait(max(began + number / size.per_second - time.monotonic(), 0))
        owner = dice.choice((tenant, "one", "two"))
        marked = owner == tenant and dice.random() < SHARE
        name = f"{tenant}-{number}"
        text = INVOICE.format(name=name) + (f"\n{MARK}\n" if marked else "")
        record = {"document_id": name, "tenant": owner, "content": text.encode(), "tasks": ["extraction"]}
        number += 1
        yield {"key": name, "value": outsider.encoded(SUBMITTED, record)}
