"""The Kafka headers of records that failed, wait or are reviewed; a record on its way through the stages needs none.

Headers on the way in belong to the sender and travel untouched; ours all begin with `penstock-`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.core.event import Position
from shared.core.failures import Failure

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

    def to_headers(self) -> Headers:
        """As headers."""
        return (
            (STAGE, self.stage.encode()),
            (FAILURE, self.failure.value.encode()),
            # An error can quote what is no text at all.
            (MESSAGE, self.message[:MESSAGE_CHARACTERS].encode("utf-8", "backslashreplace")),
            (ATTEMPTS, str(self.attempts).encode()),
            (FIRST_FAILED_AT, self.first_failed_at.isoformat(timespec="milliseconds").encode()),
            (FAILED_AT, self.failed_at.isoformat(timespec="milliseconds").encode()),
            (ORIGIN, str(self.origin).encode()),
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
    """The new history: it keeps where and when the trouble began."""
    if before is None or before.stage != now.stage:
        return now
    return replace(now, first_failed_at=before.first_failed_at, origin=before.origin)


def foreign(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """The sender's own headers."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))
