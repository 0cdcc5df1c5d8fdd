"""Replays as they are planned, under way and done: the receipts of a pipeline, in `<pipeline>.dlq.receipts`.

    r-20261124T101500-3f9a1c                 what was asked for, by whom, how far it is          rewritten as it goes on
    r-20261124T101500-3f9a1c/entries/0       the letters that were chosen, frozen                written once
    r-20261124T101500-3f9a1c/refused/0       those that were left, and why                       written once

What became of each letter stands in `<pipeline>.dlq.resolved`, under the receipt's name: it is written in the
transaction of the re-entry, so a receipt can never say that a letter went which did not.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.core import topics
from shared.core.graph import Pipeline
from shared.kafka.reading import Reader
from shared.kafka_port import Record

OPEN, STOPPED, DONE = "open", "stopped", "done"
"""It goes on where it was; it waits for a person to let it go on; every letter of it was acted on."""
CHUNK = 2000
"""Letters of one record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One chosen letter."""

    letter: str
    """Its id."""
    size: int
    """Bytes of what re-enters: how many letters may be read at once depends on it."""
    source: str = ""
    """The earlier record of its document that re-enters in its place: topic/partition/offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known of a replay besides its letters."""

    id: str
    """Its name."""
    by: str
    """Who asked for it."""
    at: str
    """When it was planned, ISO 8601, UTC."""
    reason: str = ""
    """Why."""
    selection: Mapping[str, Any] = field(default_factory=dict)
    """What was asked for."""
    name: str = ""
    """Name of just that: the same again goes on with this replay instead of beginning another one."""
    onto: str = ""
    """Stage they re-enter, where it is another one than they failed in."""
    model: str = ""
    """Model that is asked instead of the chains."""
    prompt: str = ""
    """Prompt that is used instead of the one in use."""
    edited: str = ""
    """What re-enters in the place of the one letter's value: base64."""
    letters: int = 0
    """How many were chosen."""
    refused: int = 0
    """How many were left."""
    state: str = OPEN
    """`open`, `stopped` or `done`."""
    said: str = ""
    """Why it was stopped."""
    canary: int = 0
    """How many go first."""
    first: int = 0
    """From which letter on they are taken: a replay that was stopped and goes on tries with the next ones."""
    passed: bool = False
    """The first ones ended well."""
    forecast: Mapping[str, Any] = field(default_factory=dict)
    """What it was expected to cost."""
    begin: Mapping[str, int] = field(default_factory=dict)
    """topic/partition to the offset from which on ends are counted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A receipt with its letters."""

    receipt: Receipt
    """What is known of it."""
    entries: tuple[Entry, ...]
    """Chosen letters, in the order in which they go."""
    refused: Mapping[str, str]
    """Letters that were left, and why."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """Reads the receipts of a pipeline."""

    reader: Reader
    """Reads the topic."""
    pipeline: Pipeline
    """Whose receipts."""

    def all(self) -> list[Receipt]:
        """Every receipt, the oldest first."""
        heads = (value for key, value in self._values().items() if "/" not in key)
        return sorted(filter(None, map(_receipt, heads)), key=lambda receipt: (receipt.at, receipt.id))

    def plan(self, receipt_id: str) -> Plan | None:
        """One of them with its letters."""
        values = self._values()
        receipt = _receipt(values.get(receipt_id))
        if receipt is None:
            return None
        entries = [Entry(*one) for said in _chunks(values, f"{receipt_id}/entries") for one in said]
        refused = {one: why for said in _chunks(values, f"{receipt_id}/refused") for one, why in said.items()}
        return Plan(receipt, tuple(entries), refused)

    def _values(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for record in self.reader.read([topics.receipts(self.pipeline.name)]):
            try:
                found[(record.key or b"").decode()] = json.loads(record.value or b"null")
            except (ValueError, RecursionError):
                continue  # nobody of us wrote it
        return found


def head(pipeline: str, receipt: Receipt) -> Record:
    """The receipt as it stands in Kafka."""
    return _record(pipeline, receipt.id, asdict(receipt))


def frozen(pipeline: str, plan: Plan) -> Iterator[Record]:
    """A new plan as it stands in Kafka."""
    name = plan.receipt.id
    entries = [[one.letter, one.size, one.source] for one in plan.entries]
    for number, some in enumerate(chunked(entries)):
        yield _record(pipeline, f"{name}/entries/{number}", some)
    for number, left in enumerate(chunked(list(plan.refused.items()))):
        yield _record(pipeline, f"{name}/refused/{number}", dict(left))
    yield head(pipeline, plan.receipt)


def chunked(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The items in groups that fit a record."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _record(pipeline: str, key: str, value: Any) -> Record:
    return Record(topics.receipts(pipeline), key.encode(), json.dumps(value).encode(), (), None)


def _receipt(said: Any) -> Receipt | None:
    """Read a receipt; what a later version added is left out."""
    try:
        return Receipt(**{name: said[name] for name in Receipt.__dataclass_fields__ if name in said})
    except TypeError:
        return None


def _chunks(values: Mapping[str, Any], prefix: str) -> Iterable[Any]:
    number = 0
    while (said := values.get(f"{prefix}/{number}")) is not None:
        yield said
        number += 1
