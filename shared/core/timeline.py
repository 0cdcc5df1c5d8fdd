"""A document's timeline: each record as an entry, and the state that follows from all of them. Pure.

Entries are read topic by topic, so a later hop may be read before an earlier one. What follows from them therefore
never depends on the order of reading: they are ordered by when Kafka got them, then by how far down the flow they
stand, then by their place; and the state is that of the last one that has any.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.headers import MESSAGE_CHARACTERS, STAGE, WAITS_FOR, header
from shared.core.shelves import Kind, Shelf

STATES = {
    Kind.INPUT: "waiting",
    Kind.RETRY: "in-retry",
    Kind.PARKED: "parked",
    Kind.LETTER: "dead-lettered",
    Kind.REVIEW: "in-review",
    Kind.RESULT: "stored",
}
"""What a record says of its document; a result says it itself where it can."""
DISCARDED = "discarded"
"""The one note about a dead letter that ends its document; what was replayed stands at its stage again."""
NAME_CHARACTERS = 400
"""Longest name that is searched for: an index takes no entry of any length, and anything can be a key."""
MOST_ATTEMPTS = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record, as the journal keeps it."""

    topic: str
    """Where it stands: topic."""
    partition: int
    """Partition."""
    offset: int
    """Offset."""
    document_id: str
    """Whose; empty where it has no key."""
    at: datetime
    """When Kafka got it, UTC."""
    depth: int
    """How far down the flow."""
    kind: str
    """arrived, re-entered, retry, parked, dead-lettered, review, ended, resolved."""
    stage: str = ""
    """At which stage."""
    state: str = ""
    """What it says of its document; empty where it says nothing new."""
    failure: str = ""
    """Class of the failure it tells."""
    attempts: int = 0
    """Tries so far that failed."""
    batch_id: str = ""
    """The batch."""
    event_id: str = ""
    """The event's id."""
    letter: str = ""
    """The dead letter that it is, that it was replayed from, or that it is about: topic/partition/offset."""
    message: str = ""
    """What failed, what it waits for, or why it ended so."""
    detail: Mapping[str, Any]
    """What is only shown: calls with model, prompt, tokens and cost; type, confidence, quality; who resolved it."""

    @property
    def order(self) -> tuple[datetime, int, str, int, int]:
        """Its place in its document's timeline."""
        return self.at, self.depth, self.topic, self.partition, self.offset


KINDS = {
    Kind.INPUT: "arrived",
    Kind.RETRY: "retry",
    Kind.PARKED: "parked",
    Kind.LETTER: "dead-lettered",
    Kind.REVIEW: "review",
    Kind.RESULT: "ended",
    Kind.NOTE: "resolved",
}
"""What an entry is called."""


def entry_of(record: Delivery, shelf: Shelf, event: Any, *, fresh_calls: bool = False) -> Entry:
    """What the journal keeps of a record; `event` is what stands in it, or the Failed that says why there is none.

    `fresh_calls`: the calls that the event tells were made for it, and not for an event before it.
    """
    if shelf.kind is Kind.NOTE:
        return _note(record, shelf)
    history, place = record.history, record.position
    kind, letter = KINDS[shelf.kind], str(place) if shelf.kind is Kind.LETTER else ""
    if shelf.kind is Kind.INPUT and record.reentry:
        kind, letter = "re-entered", str(record.reentry.letter)
    state = str(getattr(event, "state", "")) if shelf.kind is Kind.RESULT else ""
    return Entry(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        document_id=name((record.key or b"").decode("utf-8", "replace")),
        at=record.appended_at,
        depth=shelf.depth,
        kind=kind,
        stage=name(header(record.headers, STAGE) if shelf.kind is Kind.REVIEW else shelf.stage),
        state=name(state) or STATES[shelf.kind],
        failure=history.failure.value if history else "",
        attempts=min(history.attempts, MOST_ATTEMPTS) if history else 0,
        batch_id=name(str(getattr(event, "batch_id", ""))),
        event_id=name(str(getattr(event, "event_id", ""))),
        letter=name(letter),
        message=text(_said(record, event)),
        detail=clean(_detail(record, event, fresh_calls)),
    )


def _said(record: Delivery, event: Any) -> str:
    if isinstance(event, Failed):
        return f"{event.failure.value}: {event.message}"
    if record.value is None:
        return "a tombstone: there is no event in it"
    if dependency := header(record.headers, WAITS_FOR):
        return f"waits for {dependency}"
    return record.history.message if record.history else str(getattr(event, "reason", ""))


def _detail(record: Delivery, event: Any, fresh_calls: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"bytes": len(record.value or b"")}
    history = record.history
    if history:
        found["calls"] = [asdict(call) for one in history.tries if one.number == history.attempts for call in one.calls]
        found["causes"] = list(history.causes)
    analysis = getattr(event, "analysis", None)
    if fresh_calls and not history:
        found["calls"] = [call.to_avro() for call in getattr(analysis, "calls", ())]
    for source in (getattr(event, "classification", event), analysis, getattr(event, "validation", None), event):
        for fact in ("document_type", "track", "confidence", "quality", "cost_usd", "tenant", "version"):
            if (value := getattr(source, fact, None)) not in (None, ""):
                found[fact] = value
    return {fact: value for fact, value in found.items() if value not in (None, [])}


def _note(record: Delivery, shelf: Shelf) -> Entry:
    """A note about a dead letter; its key names the letter."""
    try:
        said = json.loads(record.value or b"")
        told = {
            fact: str(said.get(fact, "")) for fact in ("action", "by", "reason", "receipt", "document_id", "batch_id")
        }
    except (ValueError, AttributeError, RecursionError):
        told = {"action": "", "reason": "not a note of ours"}
    place = record.position
    return Entry(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        document_id=name(told.get("document_id", "")),
        at=record.appended_at,
        depth=shelf.depth,
        kind=KINDS[Kind.NOTE],
        state=DISCARDED if told["action"] == DISCARDED else "",
        batch_id=name(told.get("batch_id", "")),
        letter=name(letter_place(place.topic, (record.key or b"").decode("utf-8", "replace"))),
        message=text(told["reason"]),
        detail=clean({fact: told[fact] for fact in ("action", "by", "receipt") if told.get(fact)}),
    )


def letter_place(topic: str, letter_id: str) -> str:
    """Where a letter of the id stage/partition/offset stands, seen from the topic of notes."""
    stage, _, rest = letter_id.partition("/")
    return f"{topic.partition('.')[0]}.{stage}.dlq/{rest}"


def last(entries: Iterable[Entry]) -> Entry | None:
    """The entry that says where a document is now; None where none says anything."""
    return max((entry for entry in entries if entry.state), key=lambda entry: entry.order, default=None)


def name(said: str) -> str:
    """A text that is searched for: short enough for an index, still different from every other."""
    plain = text(said, len(said))
    if len(plain) <= NAME_CHARACTERS:
        return plain
    return f"{plain[:NAME_CHARACTERS]}…{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:16]}"


def text(said: str, most: int = MESSAGE_CHARACTERS) -> str:
    """A text that PostgreSQL takes: no NUL character, and no half of a pair."""
    if said.isascii() and "\0" not in said:
        return said[:most]
    plain = said[:most].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return plain.encode("utf-8", "replace").decode()


def clean(value: Any) -> Any:
    """The same value as JSON of PostgreSQL can hold it."""
    match value:
        case str():
            return text(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {text(str(key)): clean(inner) for key, inner in value.items()}
        case list() | tuple():
            return [clean(inner) for inner in value]
        case _:
            return value
