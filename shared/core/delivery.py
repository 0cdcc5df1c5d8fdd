"""A record as Kafka delivered it: a view on its bytes; nothing is decoded until somebody asks."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from shared.core.event import Position
from shared.core.headers import ARRIVED_AT, ORIGIN, Headers, History, from_outside, header, history_of
from shared.core.reentry import Reentry, reentry_of
from shared.core.topics import is_door


@dataclass(frozen=True)
class Delivery:
    """One record of an input, retry or parked topic."""

    position: Position
    """Where it stands."""
    key: bytes | None
    """The document id in UTF-8, if the sender did right."""
    value: bytes | None
    """The event, encoded; None for a tombstone."""
    headers: Headers
    """The sender's and ours."""
    appended_at: datetime
    """When Kafka got it, UTC."""

    @property
    def believed(self) -> "Delivery":
        """The record without those headers of ours that it can only have from outside."""
        if not self.headers or not is_door(self.position.topic):
            return self
        headers = from_outside(self.headers)
        return self if headers is self.headers else replace(self, headers=headers)

    @cached_property
    def history(self) -> History | None:
        """What it has been through at this stage."""
        return history_of(self.headers)

    @cached_property
    def reentry(self) -> Reentry | None:
        """How it came back from the dead letters, where it did."""
        return reentry_of(self.headers)

    @property
    def attempt(self) -> int:
        """1 at the first try."""
        return self.history.attempts + 1 if self.history else 1

    @cached_property
    def origin(self) -> Position:
        """Where it first reached the stage: for one that was parked before it ever failed, that alone is noted."""
        if self.history:
            return self.history.origin
        try:
            return Position.parse(header(self.headers, ORIGIN))
        except ValueError:
            return self.position

    @property
    def arrived_at(self) -> datetime:
        """When Kafka got it for this stage for the first time, UTC: one that waits or is retried tells it itself."""
        try:
            return datetime.fromisoformat(header(self.headers, ARRIVED_AT)).astimezone(UTC)
        except (ValueError, OverflowError):
            return self.appended_at
