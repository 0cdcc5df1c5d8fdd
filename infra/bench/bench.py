"""What a scenario is handed: the servers, a folder, how large it should be, and somebody to talk to."""

import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infra.bench import outsider
from infra.bench.auditor import Call, Result
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.notes import END, Notes
from infra.bench.sample.pipeline import NOTES, alone
from infra.local.parts import Endpoints
from shared.core.graph import Pipeline
from shared.core.stage import Stage
from shared.kafka.admin import ensure, plan

SAMPLE = Path(__file__).parent / "sample"
JOB = outsider.load(SAMPLE / "Job.avsc")
JOB_DONE = outsider.load(SAMPLE / "JobDone.avsc")
STALL_SECONDS = 90.0
"""Without any progress for so long, a run is over."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The surroundings of one run of scenarios."""

    parts: Endpoints
    """Real servers; the topics of a scenario have names of their own."""
    folder: Path
    """Notes and logs."""
    small: bool
    """Seconds instead of minutes: right for what is counted, too short for what is timed."""
    say: Callable[[str], None]
    """Takes a line of talk."""

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.parts.kafka or ""

    def topics_for(self, step: Stage[Any, Any]) -> Pipeline:
        """A pipeline of just this stage under a name that nobody else uses, its topics made."""
        pipeline = alone(step)
        pipeline = replace(pipeline, name=f"{pipeline.name}_{uuid.uuid4().hex[:8]}")
        ensure({"bootstrap.servers": self.kafka}, plan(pipeline))
        return pipeline


class Run:
    """One pipeline of one stage under measurement: its processes, what they note, what comes out."""

    def __init__(self, bench: Bench, step: Stage[Any, Any], environment: Mapping[str, str] = MappingProxyType({})):
        self._bench, self._step = bench, step
        self.pipeline = bench.topics_for(step)
        """The pipeline."""
        folder = bench.folder / self.pipeline.name
        folder.mkdir()
        self.notes = Notes(folder / "notes.txt")
        """What its processes note."""
        told = {"BENCH_PIPELINE": self.pipeline.name, NOTES: str(self.notes.path)}
        self.herd = Herd(bench.parts, folder, **told, **environment)
        """Its processes."""
        self.published: list[Call] = []
        """Every record handed in."""

    def __enter__(self) -> "Run":
        self.herd.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.herd.__exit__(*raised)

    def start(self, slot: int = 1) -> "subprocess.Popen[bytes]":
        """One more process of the stage, or the next one in a slot whose last one has ended.

        A slot keeps its name, as under a supervisor: what a killed process left open, its successor ends at once.
        """
        name = self._step.name
        return self.herd.start("infra.bench.sample", name, PENSTOCK_INSTANCE=f"{name}-{slot}")

    def publish(self, jobs: Iterable[dict[str, Any]]) -> None:
        """Hand documents in, as any client would."""
        given = [{"sequence": 0, "padding": b"", **job} for job in jobs]
        topic = self.pipeline.topics(self._step).input
        outsider.publish(self._bench.kafka, topic, ((job["document_id"], outsider.encoded(JOB, job)) for job in given))
        self.published += [(job["document_id"], job["sequence"]) for job in given]

    def goes_on_to(self, goal: int) -> bool:
        """Wait until so many calls have ended; False, with a word on where each process is, once nothing moves."""
        seen = -1
        while (now := len(self.notes.calls(END))) < goal:
            if now == seen:
                self._bench.say(f"nothing has moved for {STALL_SECONDS:g} s at {now:,} of {goal:,}:\n{self.stacks()}")
                return False
            seen = now
            self.herd.reaches(lambda seen=seen: len(self.notes.calls(END)) > seen, STALL_SECONDS)  # type: ignore[misc]
        return True

    def wait_for_the_end(self) -> None:
        """Return when every call has ended and every result is there, or when nothing moves any more."""
        wanted = set(self.published)
        if self.goes_on_to(len(wanted)):
            self.herd.reaches(lambda: {result.call for result in self.results()} >= wanted, STALL_SECONDS)

    def stacks(self) -> str:
        """Where every thread of the stage's living processes is; others would end at the signal."""
        for process in self.herd.processes:
            if process.poll() is None and "infra.bench.sample" in process.args:  # type: ignore[operator]
                process.send_signal(signal.SIGUSR1)
        self.herd.reaches(lambda: False, 1.0)
        return self.herd.log()

    def results(self) -> list[Result]:
        """What stands on the results topic."""
        ahead = time.time() - time.monotonic()
        found = []
        for record in outsider.read_stamped(self._bench.kafka, f"{self.pipeline.name}.results"):
            said = outsider.decoded(JOB_DONE, record.value)
            found.append(Result((said["document_id"], said["sequence"]), record.milliseconds / 1000 - ahead))
        return found

    def records(self, kind: str) -> list[outsider.Stamped]:
        """Records of the stage's topics of one kind: `retries`, `parked` or `dead`."""
        names = getattr(self.pipeline.topics(self._step), kind)
        every = (names,) if isinstance(names, str) else names
        return [record for name in every for record in outsider.read_stamped(self._bench.kafka, name)]

    def partitions(self) -> dict[str, int]:
        """Document to the partition its records came in on."""
        topic = self.pipeline.topics(self._step).input
        return {one.key.decode(): one.partition for one in outsider.read_stamped(self._bench.kafka, topic)}


Scenario = Callable[[Bench], Figures]
"""Measures one thing."""
