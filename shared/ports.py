"""The protocols by which the runtime and the services reach the world; each has one real room and one in memory.

What a handler may touch is narrower, and stands in `shared.core.context`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from shared.core.breaker import Breaker, BreakerPolicy, answers, full_in, reopens_in, window
from shared.core.event import Event
from shared.core.failures import Failure
from shared.core.ledger import Begun, Intent, Recorded


class Codec(Protocol):
    """Events to bytes and back."""

    def encode(self, event: Event) -> bytes:
        """The event on the wire."""
        ...

    def decode(self, data: bytes, takes: tuple[type[Event], ...]) -> Any:
        """The event. Raises Failed: undecodable, unknown_schema, or invalid_event where it is of no type in `takes`."""
        ...


class Publisher(Protocol):
    """Writes single events from outside a transaction."""

    async def publish(self, topic: str, event: Event) -> None:
        """Return when Kafka has it on all replicas. Raises Unavailable, or Failed(too_large)."""
        ...


@dataclass(frozen=True, slots=True)
class Permit:
    """A breaker's answer to a call that wants to be made."""

    allowed: bool
    """Go ahead."""
    probe: bool = False
    """This is the one call that tries whether the dependency is back."""
    after: float = 0.0
    """Seconds until it is worth asking again, where it is not allowed."""
    number: int = field(default=0, compare=False)
    """Which call of this process it is, to be given back when it has ended; 0 where nobody counts."""


class BreakerState(StrEnum):
    """The three states of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerReport:
    """One breaker, for people and metrics."""

    name: str
    """Dependency it guards, such as `model:sim-large`."""
    state: BreakerState
    """Its state."""
    since: datetime
    """Since when, UTC."""
    reason: str
    """Why it is in that state, in one sentence."""
    failures: int
    """Failures in the window."""
    calls: int
    """Calls in the window."""
    reopens_in: float
    """Seconds until a probe is allowed; 0 where it is not open."""
    useless: int
    """Answers in the window that were of no use, as refusals are."""
    full_in: float
    """Seconds until every call is let through again after a recovery; 0 where it is."""

    @classmethod
    def of(cls, name: str, breaker: Breaker, policy: BreakerPolicy, now: int) -> "BreakerReport":
        """The report of a breaker's state at a time, in milliseconds."""
        calls, failures = window(policy, breaker, now)
        return cls(
            name=name,
            state=BreakerState(breaker.phase),
            since=datetime.fromtimestamp(breaker.since / 1000, UTC),
            reason=breaker.reason,
            failures=failures,
            calls=calls,
            reopens_in=reopens_in(breaker, now),
            useless=answers(policy, breaker, now)[1],
            full_in=full_in(breaker, now),
        )


class Breakers(Protocol):
    """The circuit breakers of all dependencies, shared by every process."""

    async def ask(self, name: str) -> Permit:
        """May a call be made? Answered from local state; a probe is leased from the registry."""
        ...

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        """A call ended: None where the dependency did its work; `number` is its permit's, 0 where nobody counted."""
        ...

    def leave(self, name: str, number: int) -> None:
        """The permit's call is over, or was not made after all: from then on it is not among those under way."""
        ...

    async def opens(self, name: str, seconds: float) -> bool:
        """Whether it is open, or opens within that time: what a failed call asks to learn if it was an outage."""
        ...

    async def reports(self) -> Sequence[BreakerReport]:
        """Every known breaker."""
        ...

    async def trip(self, name: str, reason: str) -> None:
        """Open it by hand; it stays open until it is reset."""
        ...

    async def reset(self, name: str) -> None:
        """Close it by hand."""
        ...


class Ledger(Protocol):
    """The record of everything that is paid for; its rules are those of `shared.core.ledger`."""

    async def begin(self, intent: Intent) -> Begun:
        """Look up a result, and note the intent where there is none. Raises Unavailable, Failed(store_rejected)."""
        ...

    async def end(self, record: Recorded) -> Recorded:
        """Keep a result; gives the one to be used, which is another's where that was accepted first.

        When it returns the result outlives this process. Raises Unavailable, Failed(store_rejected). Of a result that
        is found, or given here as another's, tokens and cost may be missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submission as the ingest door keeps it."""

    document_id: str
    """The document."""
    tenant: str
    """On whose account."""
    version: int
    """Version of the submission."""
    sha256: str
    """Hash of the content, lower-case hex."""
    batch_id: str
    """The batch it came with; empty where it came alone."""
    filename: str
    """What its owner calls it."""
    submitted_at: datetime
    """When the door took it, UTC."""


class Submissions(Protocol):
    """What the ingest door accepted."""

    async def find(self, document_id: str) -> Submitted | None:
        """The newest accepted submission of the document."""
        ...

    async def accept(self, submission: Submitted) -> None:
        """Note it; the same one twice is noted once, an older version than the one noted not at all."""
        ...

    async def batch(self, batch_id: str, limit: int = 1000) -> Sequence[Submitted]:
        """What was accepted under a batch, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A document that waits for a person, or did."""

    review_id: str
    """topic/partition/offset of the request: the same request is the same review."""
    document_id: str
    pipeline: str
    stage: str
    failure: str
    """Failure class that sent it; empty where the stage simply asked."""
    reason: str
    proposal: bytes
    """The event that approval emits, as it was on the wire."""
    requested_at: datetime
    decision: str = ""
    """Empty while it waits, then `approve` or `reject`; `cancel` where nobody had to look at it any more."""
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""
    sequence: int = 0
    """Place of the decision in the outbox; 0 while it waits."""


class Reviews(Protocol):
    """The table of reviews, which is also the outbox of decisions."""

    async def request(self, items: Sequence[ReviewItem]) -> None:
        """Note requests; one that is known already is left as it is."""
        ...

    async def waiting(self, limit: int) -> Sequence[ReviewItem]:
        """Undecided ones, oldest first."""
        ...

    async def get(self, review_id: str) -> ReviewItem | None: ...

    async def decide(self, review_id: str, decision: str, by: str, note: str) -> ReviewItem | None:
        """Decide once: gives the item as decided now, or None where it is unknown or decided already."""
        ...

    async def decided_after(self, sequence: int, limit: int) -> Sequence[ReviewItem]:
        """Decisions beyond the sequence, in order: what the relay still has to send."""
        ...


class StoredResults(Protocol):
    """Reading side of the table of results."""

    async def find(self, document_id: str) -> Mapping[str, Any] | None:
        """The stored result, as a row."""
        ...

    async def list(
        self, *, batch_id: str = "", document_type: str = "", limit: int = 100
    ) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        ...
