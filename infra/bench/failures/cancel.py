"""A batch is cancelled in the middle of its slow calls, and a process that makes them is killed at that moment.

When calls came and when they were left is the provider's own record; how documents ended is read by an outsider.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.failures.mixed import RESULT
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

LATE_SECONDS = 2.0
"""How long after the command a call may still be begun, or be open."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    cancelled: int
    """Documents of the batch that is cancelled."""
    kept: int
    """Documents of another one."""
    latency_ms: int
    """How long the model thinks."""
    in_flight: int
    """Calls at once in each process."""


FULL = Size(cancelled=1_000, kept=100, latency_ms=8_000, in_flight=100)
SMALL = Size(cancelled=60, kept=10, latency_ms=8_000, in_flight=6)


@dataclass(frozen=True, slots=True)
class Trial:
    """One run."""

    bench: Bench
    size: Size
    mark: str
    """Begins the names of all its documents and batches."""
    herd: Herd
    port: int
    """The provider's."""

    @property
    def batch(self) -> str:
        """The batch that is cancelled."""
        return f"{self.mark}-cancelled"

    def names(self) -> dict[str, str]:
        """Document to its batch, both batches mixed."""
        every = self.size.cancelled // self.size.kept
        names = {f"{self.batch}-{number}": self.batch for number in range(self.size.cancelled)}
        for number in range(self.size.kept):
            names[f"{self.mark}-kept-{number * every}"] = f"{self.mark}-kept"
        return dict(sorted(names.items(), key=lambda one: int(one[0].rpartition("-")[2])))

    def calls(self) -> list[dict[str, Any]]:
        """The provider's record of the calls about documents of the cancelled batch."""
        with urlopen(f"http://127.0.0.1:{self.port}/calls", timeout=10) as answer:
            return [call for call in json.load(answer) if f"Invoice number: {self.batch}-" in call["document"]]

    def ends(self) -> dict[str, list[str]]:
        """Document to how it has ended, as often as that was told."""
        found: dict[str, list[str]] = {}
        for key, value, _ in outsider.read(self.bench.kafka, "documents.results"):
            if (name := key.decode()).startswith(self.mark):
                found.setdefault(name, []).append(outsider.decoded(RESULT, value)["state"])
        return found


def cancel(bench: Bench) -> Figures:
    """Cancel one of two batches under load, kill a process, and look what is still paid and how each document ends."""
    size, mark = SMALL if bench.small else FULL, uuid.uuid4().hex[:8]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    folder = bench.folder / f"cancel-{mark}"
    folder.mkdir()
    with Herd(bench.parts, folder, PENSTOCK_IN_FLIGHT=str(size.in_flight), **NOBODY) as herd:
        port = start(herd, size.latency_ms).provider
        trial = Trial(bench, size, mark, herd, port)
        second = herd.start("services.analyze", PENSTOCK_MODELSIM_URL=f"http://127.0.0.1:{port}")
        publish(trial)
        # Some have their answer, and some of these have been stored: they are not to be touched any more.
        herd.wait_until(lambda: any("stored" in states for states in trial.ends().values()), 120)
        herd.wait_until(lambda: sum(call["ended"] is None for call in trial.calls()) >= size.in_flight, 60)
        began, returned = commanded(trial)
        second.kill()
        second.wait()
        herd.start("services.analyze", PENSTOCK_MODELSIM_URL=f"http://127.0.0.1:{port}")
        herd.wait_until(lambda: trial.ends().keys() >= trial.names().keys(), 240, lambda: missing(trial))
        return judged(trial, began, returned)


def publish(trial: Trial) -> None:
    """Hand both batches in."""
    now = int(time.time() * 1000)

    def encoded(name: str, batch: str) -> bytes:
        text = INVOICE.format(name=name).encode()
        given = {"document_id": name, "content": text, "batch_id": batch, "submitted_at": now}
        return outsider.encoded(SUBMITTED, given)

    records = ((name, encoded(name, batch)) for name, batch in trial.names().items())
    outsider.publish(trial.bench.kafka, "documents.ingest", records)


def commanded(trial: Trial) -> tuple[float, float]:
    """Cancel the batch; gives when the command began and when it returned, UNIX seconds."""
    began = time.time()
    trial.herd.penstock("cancel", "--batch", trial.batch, "--reason", "a trial", "--timeout", "0")
    return began, time.time()


def missing(trial: Trial) -> str:
    """Documents without an end."""
    return f"no end: {sorted(trial.names().keys() - trial.ends().keys())[:5]}"


def judged(trial: Trial, began: float, returned: float) -> Figures:
    """What was still paid, and how each document has ended."""
    calls, ends, names = trial.calls(), trial.ends(), trial.names()
    at_the_time = [call for call in calls if call["began"] < returned and (call["ended"] or returned) > began]
    states = Counter(state for name, found in ends.items() if names[name] == trial.batch for state in found)
    figures: Figures = {
        "cancel_documents": len(names),
        "cancel_open": len(at_the_time),
        "cancel_word_s": said(trial) - began,
        "cancel_stop_s": last_open(calls) - began,
        "cancel_stop_after_s": max(last_open(calls) - returned, 0.0),
        "cancel_late_calls": sum(call["began"] > returned + LATE_SECONDS for call in calls),
        "cancel_cancelled": states["cancelled"],
        "cancel_stored": states["stored"],
        "cancel_wrong": sum(wrong(trial, name, found) for name, found in ends.items()),
    }
    trial.bench.say("cancel: " + ", ".join(f"{name} {figure:.3g}" for name, figure in figures.items()))
    return figures


def said(trial: Trial) -> float:
    """When the word was in Kafka."""
    return max(one.milliseconds / 1000 for one in outsider.read_stamped(trial.bench.kafka, "documents.cancelled"))


def last_open(calls: Iterable[dict[str, Any]]) -> float:
    """When the last call was over; one that is open still is as late as can be."""
    now = time.time()
    return max((call["ended"] or now for call in calls), default=0.0)


def wrong(trial: Trial, name: str, states: list[str]) -> bool:
    """Whether a document has another end than it should have, or more than one."""
    may = ("stored", "cancelled") if trial.names()[name] == trial.batch else ("stored",)
    return len(states) != 1 or states[0] not in may
