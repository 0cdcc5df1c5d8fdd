"""Counts by pane: how many records of one kind one partition of one topic has brought within one stretch of time.

The stretch is a part of the key, and so is the source: then a count belongs to one partition, in which offsets grow,
and the last offset beside it tells what has been counted. What comes a second time, after a crash or a rebalance, is
passed over: the counts are exact although every record is delivered at least once.

Tumbling windows are panes, or whole numbers of them; hopping windows are sums of panes, made when somebody looks.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from shared.core.atlas.ended import Ended

SECONDS = 60
"""Length of a pane."""

THROUGH, FAILED, RETRIED = "through", "failed", "retried"
"""What a record tells: the stage has done its work; it has given up, or asks a person; it will try once more."""

Count = list[int]
"""How many, and the offset of the last one that was counted; a list, for that is what comes back from JSON."""


@dataclass(frozen=True, slots=True)
class Pane:
    """What is counted together."""

    begin: int
    """Begin of the stretch, in seconds since 1970."""
    topic: str
    """Where the records stand."""
    partition: int
    """In which partition."""
    kind: str
    """through, failed or retried."""
    stage: str
    """Stage."""
    document_type: str
    """Document type; empty where it is not known at the stage."""
    failure: str
    """Failure class; empty where it got through."""
    model: str
    """Model that was asked first."""
    prompt: str
    """Prompt and version it was asked with."""

    @property
    def key(self) -> str:
        """As the table has it."""
        return json.dumps(astuple(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of(cls, key: str) -> "Pane":
        """Read it back."""
        return cls(*json.loads(key))


def pane_of(ended: Ended, kind: str, source: tuple[str, int], at: float) -> Pane:
    """The pane of a record that stands in that partition, and that Kafka got at that time."""
    begin = int(at // SECONDS) * SECONDS
    kind = kind if ended.failure else THROUGH
    return Pane(begin, *source, kind, ended.stage, ended.document_type, ended.failure, ended.model, ended.prompt)


def counted(before: Count | None, offset: int) -> Count | None:
    """The count with the record at this offset in it; None where it is in there already."""
    if before is None:
        return [1, offset]
    count, last = before
    return None if offset <= last else [count + 1, offset]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one length."""

    length: int
    """Seconds; a whole number of panes."""
    hop: int
    """Seconds from the begin of one to the begin of the next: less than the length, and they overlap."""

    def holding(self, begin: int) -> Iterator[int]:
        """The begins of the windows that hold the pane that begins there."""
        last = begin // self.hop * self.hop
        yield from range(last, begin - self.length + SECONDS - 1, -self.hop)


def windowed(panes: Mapping[str, Count], windows: Windows, since: int) -> list[dict[str, Any]]:
    """A row for each window from then on, and each kind of record in it, the newest windows first."""
    sums: dict[tuple[Any, ...], int] = {}
    for key, (count, _) in panes.items():
        pane = Pane.of(key)
        said = (pane.stage, pane.document_type, pane.failure, pane.model, pane.prompt, pane.kind)
        for begin in windows.holding(pane.begin):
            if begin >= since:
                sums[begin, *said] = sums.get((begin, *said), 0) + count
    names = ("begin", "stage", "document_type", "failure", "model", "prompt", "kind")
    ordered = sorted(sums.items(), key=lambda item: (-item[0][0], -item[1], item[0]))
    return [dict(zip(names, said, strict=True)) | {"count": count} for said, count in ordered]


def totals(panes: Iterable[tuple[str, Count]]) -> dict[str, int]:
    """Everything by what it tells, whatever the time and the source: what a recount of the topics must give too."""
    sums: dict[str, int] = {}
    for key, (count, _) in panes:
        said = {name: value for name, value in asdict(Pane.of(key)).items() if name not in ("topic", "partition")}
        text = json.dumps(said, sort_keys=True)
        sums[text] = sums.get(text, 0) + count
    return sums
