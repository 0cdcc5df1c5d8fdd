"""Which trace a record belongs to. Its ids are derived from what the record is, so nothing has to carry them.

    trace       pipeline, document, version; after a replay also the dead letter it was replayed from
    ├── root        of the trace alone: the document came in, or came back
    ├── operation   stage, and where the record first reached it: attempts come and go under it
    └── review      the request's place

Whoever works on a document finds the same trace: every process, every retry, and the one that takes over after a kill.
A replay's descendants would not know of the replay, so the dead letter's place goes along with these, in one header.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.headers import TRACE, Headers, header

TRACEPARENT = "traceparent"
"""The sender's own trace, as W3C Trace Context writes it."""
FORM = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")

SpanName = tuple[int, int]
"""Trace id and span id."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace by its id; all other ids are derived from it."""

    id: int
    """128 bits, never 0."""
    before: int = 0
    """The trace that a replay goes on from; 0 for the first."""

    @property
    def text(self) -> str:
        """As logs and backends write it."""
        return f"{self.id:032x}"

    @property
    def root(self) -> int:
        """Id of its first span."""
        return self.span("root")

    def span(self, *name: str) -> int:
        """Id of the span of that name: 64 bits, never 0."""
        return _number(8, self.text, *name)


def trace_of(pipeline: str, delivery: Delivery, event: Any) -> Trace:
    """The trace of a record; `event` is what it says, None where it could not be decoded: then it is on its own."""
    if event is None:
        return Trace(_number(16, pipeline, str(delivery.origin)))
    letter = descent(delivery)
    if not letter:
        return document_trace(pipeline, event)
    # A record that has just come back says beside it what its dead letter descended from.
    earlier = _place(header(delivery.headers, TRACE)) if delivery.reentry else ""
    return Trace(document_trace(pipeline, event, letter).id, document_trace(pipeline, event, earlier).id)


def document_trace(pipeline: str, event: Any, letter: str = "") -> Trace:
    """The trace of an event's document, or the one that began when it was replayed from that dead letter."""
    return Trace(_number(16, pipeline, event.document_id, str(getattr(event, "version", "")), letter))


def descent(delivery: Delivery) -> str:
    """The dead letter from whose replay a record descends; empty for one that was never replayed."""
    if not delivery.headers:
        return ""
    return str(delivery.reentry.letter) if delivery.reentry else _place(header(delivery.headers, TRACE))


def onward(delivery: Delivery) -> Headers:
    """What goes along with everything that a record causes: nothing, unless it descends from a replay."""
    letter = descent(delivery)
    return ((TRACE, letter.encode()),) if letter else ()


def sender_of(delivery: Delivery) -> SpanName | None:
    """The sender's own span, where it told one that makes sense."""
    if not delivery.headers:
        return None
    found = FORM.fullmatch(header(delivery.headers, TRACEPARENT))
    if found is None or (found[1] == "00" and found[4]):
        return None
    trace, span = int(found[2], 16), int(found[3], 16)
    return (trace, span) if trace and span else None


def _place(text: str) -> str:
    """The text where it names a place in Kafka, else nothing: it may be anybody's."""
    try:
        return str(Position.parse(text)) if text else ""
    except ValueError:
        return ""


def _number(size: int, *names: str) -> int:
    # Each with its length before it: otherwise two lists of names could be the same text.
    said = "".join(f"{len(name)}:{name}" for name in names)
    return int.from_bytes(sha256(said.encode("utf-8", "surrogatepass")).digest()[:size]) or 1
