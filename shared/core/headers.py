"""The Kafka headers of records that failed, wait, are reviewed or were replayed; any other record needs none.

Headers on the way in belong to the sender and travel untouched; ours all begin with `penstock-`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.tries import Try, causes_of, causes_to_text, tries_of, tries_to_text

PREFIX = "penstock-"

STAGE = "penstock-stage"
"""Stage that failed, or that asked for a review."""
FAILURE = "penstock-failure"
"""Failure class."""
MESSAGE = "penstock-message"
"""What failed, or what a person should look at."""
ATTEMPTS = "penstock-attempts"
"""Tries so far."""
FIRST_FAILED_AT = "penstock-first-failed-at"
"""ISO 8601, UTC."""
FAILED_AT = "penstock-failed-at"
"""ISO 8601, UTC."""
ORIGIN = "penstock-origin"
"""topic/partition/offset at which the record first reached the stage."""
WAITS_FOR = "penstock-waits-for"
"""Dependency that a parked record waits for, or `document` where it stands behind an older record of its key."""
REPLAYED = "penstock-replayed"
"""Dead letter a record was replayed from: topic/partition/offset."""
RECEIPT = "penstock-receipt"
"""Plan under which it was replayed."""
REPLAYS = "penstock-replays"
"""How often it was replayed at this stage."""
USE_MODEL = "penstock-use-model"
"""Model that a replayed record asks instead of its stage's chains."""
USE_PROMPT = "penstock-use-prompt"
"""Prompt that a replayed record is asked with, as `<task>@<version>`."""
TRIES = "penstock-tries"
"""Attempts that failed, with the model calls they made: JSON."""
CAUSES = "penstock-causes"
"""What caused the last failure, the nearest first: JSON."""
ARRIVED_AT = "penstock-arrived-at"
"""When Kafka got the record for this stage for the first time: ISO 8601, UTC."""
TRACE = "penstock-trace"
"""Dead letter from whose replay the record descends: topic/partition/offset. The only one of ours that goes on to the
next stage: it tells which of its document's traces the record belongs to."""

STAYS = frozenset((REPLAYED, RECEIPT, REPLAYS, USE_MODEL, USE_PROMPT, TRACE))
"""What stays with a record that was replayed, for as long as it is at the stage it re-entered."""

BELIEVED = frozenset((REPLAYED, RECEIPT, REPLAYS, TRACE))
"""What is believed of a record of an ingest topic: that it was replayed, which a replay to the first stage says there,
and what traces are derived from.

All else could only come from outside: an attempt count, another record's origin, the dearest model. A later stage's
topics are written by us alone; where Kafka's access rules do not see to that, nothing of a record can be believed.
"""

MESSAGE_CHARACTERS = 2000
"""Longest message kept: an error that quotes its whole input must not make a dead letter that no topic takes."""

Headers = tuple[tuple[str, bytes], ...]
"""As Kafka has them: ordered, names may repeat."""


@dataclass(frozen=True, slots=True)
class History:
    """What a record has been through at one stage."""

    stage: str
    """Stage it failed in."""
    failure: Failure
    """Class of the last failure."""
    message: str
    """The last failure in one sentence."""
    attempts: int
    """Tries so far."""
    first_failed_at: datetime
    """When it first failed, UTC."""
    failed_at: datetime
    """When it last failed, UTC."""
    origin: Position
    """Where it first reached the stage."""
    tries: tuple[Try, ...] = ()
    """Each attempt, with what it cost."""
    causes: tuple[str, ...] = ()
    """What caused the last failure, the nearest cause first."""

    def to_headers(self) -> Headers:
        """As headers."""
        beside: Headers = ((TRIES, tries_to_text(self.tries).encode()),) if self.tries else ()
        beside += ((CAUSES, causes_to_text(self.causes).encode()),) if self.causes else ()
        return (
            (STAGE, self.stage.encode()),
            (FAILURE, self.failure.value.encode()),
            # An error can quote what is no text at all.
            (MESSAGE, self.message[:MESSAGE_CHARACTERS].encode("utf-8", "backslashreplace")),
            (ATTEMPTS, str(self.attempts).encode()),
            (FIRST_FAILED_AT, self.first_failed_at.isoformat(timespec="milliseconds").encode()),
            (FAILED_AT, self.failed_at.isoformat(timespec="milliseconds").encode()),
            (ORIGIN, str(self.origin).encode()),
            *beside,
        )


def history_of(headers: Headers) -> History | None:
    """Read a history back; None where the record carries none, or one that nobody of us wrote."""
    found = {name: value for name, value in headers if name.startswith(PREFIX)}
    try:
        history = History(
            stage=found[STAGE].decode(),
            failure=Failure(found[FAILURE].decode()),
            message=found[MESSAGE].decode(),
            attempts=int(found[ATTEMPTS]),
            first_failed_at=datetime.fromisoformat(found[FIRST_FAILED_AT].decode()).astimezone(UTC),
            failed_at=datetime.fromisoformat(found[FAILED_AT].decode()).astimezone(UTC),
            origin=Position.parse(found[ORIGIN].decode()),
            tries=tries_of(header(headers, TRIES)),
            causes=causes_of(header(headers, CAUSES)),
        )
    except (KeyError, ValueError, OverflowError):
        return None
    return history if history.attempts > 0 else None


def parked(origin: Position, history: History | None, dependency: str) -> Headers:
    """The headers of a parked record: what it has been through stays as it is, for waiting costs no attempt."""
    been = history.to_headers() if history else ((ORIGIN, str(origin).encode()),)
    return (*been, (WAITS_FOR, dependency.encode("utf-8", "backslashreplace")))


def header(headers: Headers, name: str) -> str:
    """The text of one of our headers; empty where it is missing, or is no text."""
    found = next((value for key, value in headers if key == name), b"")
    return found.decode("utf-8", "replace")


def failed_again(before: History | None, now: History) -> History:
    """The new history: it keeps where and when the trouble began, and what was tried before."""
    if before is None or before.stage != now.stage:
        return now
    began, origin = before.first_failed_at, before.origin
    return replace(now, first_failed_at=began, origin=origin, tries=(*before.tries, *now.tries))


def foreign(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """The sender's own headers."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))


def from_outside(headers: Headers) -> Headers:
    """The headers of a record of an ingest topic, without those of ours that nobody of us can have written there."""
    if all(not name.startswith(PREFIX) or name in BELIEVED for name, _ in headers):
        return headers
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX) or name in BELIEVED)


def kept(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """What goes along while a record stays at its stage: the sender's own headers, and what tells of its replay."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX) or name in STAYS)
