"""Thousands of documents through the five services while calls go wrong: each has one end, and the right one.

Most faults hit whatever call comes: what is lost on the way must be made good. Some documents fail in the same way
whenever they are asked about: these are to end as dead letters of just that class.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.engine.two_models import bill, order
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

RESULT = outsider.load(Path(__file__).parents[3] / "schemas" / "DocumentResult.avsc")
SHARES = {
    "malformed_json": 0.03,
    "refusal_in_field": 0.02,
    "truncated": 0.02,
    "rate_limited": 0.05,
    "overloaded": 0.02,
    "hang": 0.01,
}
"""Part of the calls that fail so, whatever they are about."""
ALWAYS = {"malformed_json": "malformed_json", "refusal": "refusal", "truncated": "truncated"}
"""How some documents always fail, and the class they must end in."""
MARK = "Reference: always "
"""Before the fault, in a document that always fails."""
LATENCY_MS = 50
STALL_SECONDS = 120.0


@dataclass
class Ends:
    """Where each document has ended."""

    stored: Counter[str] = field(default_factory=Counter)
    """How many results it has."""
    fields: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What its result says."""
    dead: dict[str, str] = field(default_factory=dict)
    """Class of its dead letter."""
    review: set[str] = field(default_factory=set)
    """It waits for a person."""

    @property
    def all(self) -> set[str]:
        """Every document that has one."""
        return self.stored.keys() | self.dead.keys() | self.review


def mixed(bench: Bench) -> Figures:
    """Publish them all at once, and look where each has ended."""
    count, always = (60, 2) if bench.small else (2_000, 10)
    mark = uuid.uuid4().hex[:8]
    texts = dict(documents(mark, count, always))
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"mixed-{mark}"
    folder.mkdir()
    with Herd(bench.parts, folder, **NOBODY) as herd:
        port = start(herd, LATENCY_MS).provider
        for fault in ALWAYS:
            order(port, "POST", {"fault": fault, "match": MARK + fault})
        for fault, share in SHARES.items():
            order(port, "POST", {"fault": fault, "share": share, "after": 0.2})
        records = ((name, outsider.encoded(SUBMITTED, submission(name, text))) for name, text in texts.items())
        outsider.publish(bench.kafka, "documents.ingest", records)
        began = time.monotonic()
        ends = settled(bench, herd, texts.keys())
        took = time.monotonic() - began
        resends = bill(port)["identical_resends"]
    figures = judged(texts, ends) | {"identical_resends": resends, "mixed_seconds": took}
    bench.say("mixed: " + ", ".join(f"{name} {figure:.4g}" for name, figure in figures.items()))
    return figures


def submission(name: str, text: str) -> dict[str, Any]:
    """A document as it is handed in."""
    return {"document_id": name, "content": text.encode(), "tasks": ["extraction"]}


def documents(mark: str, count: int, always: int) -> Iterator[tuple[str, str]]:
    """Names and texts; the first ones of each kind always fail in their way."""
    faults = [fault for fault in ALWAYS for _ in range(always)]
    for number in range(count):
        name = f"{mark}-{number}"
        reference = f"\n{MARK}{faults[number]}\n" if number < len(faults) else ""
        yield name, INVOICE.format(name=name) + reference


def settled(bench: Bench, herd: Herd, names: Any) -> Ends:
    """Wait until every document has an end, or none has found one for long."""
    ends, seen = Ends(), 0

    def moved() -> bool:
        nonlocal ends
        ends = looked(bench.kafka, names)
        return len(ends.all) > seen

    while len(ends.all) < len(names) and herd.reaches(moved, STALL_SECONDS):
        seen = len(ends.all)
    return ends


def looked(kafka: str, names: Any) -> Ends:
    """What stands on the results, review and dead-letter topics."""
    ends = Ends()
    for key, value, _ in outsider.read(kafka, "documents.results"):
        if (name := key.decode()) in names:
            ends.stored[name] += 1
            ends.fields[name] = outsider.decoded(RESULT, value)["fields"]
    ends.review = {key.decode() for key, _, _ in outsider.read(kafka, "documents.review")} & set(names)
    for stage in DOCUMENTS.stages:
        for key, _, headers in outsider.read(kafka, f"documents.{stage.name}.dlq"):
            if (name := key.decode()) in names:
                ends.dead[name] = headers["penstock-failure"].decode()
    return ends


def judged(texts: Mapping[str, str], ends: Ends) -> Figures:
    """What was lost, doubled, wrongly classed, or accepted although it was cut off."""
    wanted = {name: ALWAYS.get(text.partition(MARK)[2].strip(), "") for name, text in texts.items()}
    incomplete = [name for name, said in ends.fields.items() if said.get("invoice_number") != name]
    both = (ends.stored.keys() & ends.dead.keys()) | (ends.stored.keys() & ends.review)
    return {
        "documents": len(texts),
        "unaccounted": len(texts.keys() - ends.all),
        "doubled": sum(times - 1 for times in ends.stored.values()) + len(both),
        "mixed_stored": len(ends.stored),
        "mixed_review": len(ends.review - ends.stored.keys()),
        "mixed_dead": len(ends.dead),
        "wrong_class": sum(ends.dead.get(name) != failure for name, failure in wanted.items() if failure)
        + sum(not wanted[name] for name in ends.dead),
        "truncated_accepted": len(incomplete),
    }
