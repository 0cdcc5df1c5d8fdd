"""What a handler returns: values, not exceptions, so that one `match` decides every topic a record can go to.

Outcome
├── Emit        done: these events go on
├── Retry       failed, will heal: the same record again, later
├── DeadLetter  failed, will not heal: kept until a person acts
├── Review      a person decides; carries what approval would emit
├── Park        waits for a dependency; costs no attempt (handlers rarely say it, the runtime does for them)
└── Cancelled   an operator's word ended it (no handler says it, the runtime does)
"""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.core.context import Call
from shared.core.event import Event
from shared.core.failures import Failure

E_co = TypeVar("E_co", covariant=True)


@dataclass(frozen=True, slots=True, init=False)
class Emit(Generic[E_co]):
    """The record is done, and these events go on."""

    events: tuple[E_co, ...]
    """In the order in which they are written; may be empty."""

    def __init__(self, *events: E_co) -> None:
        object.__setattr__(self, "events", events)


@dataclass(frozen=True, slots=True)
class Retry:
    """The record failed in a way that heals by itself; it comes again after a delay, as it is."""

    failure: Failure
    """How it failed."""
    message: str
    """What failed, in one sentence for a person."""
    after: float | None = None
    """Seconds the other side asked to wait; rounded up to a delay tier."""
    calls: tuple[Call, ...] = field(default=(), compare=False)
    """Model calls the attempt made, for whoever looks at what it cost."""
    causes: tuple[str, ...] = field(default=(), compare=False)
    """What caused it, the nearest cause first."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The record failed for good; its bytes are kept and can be replayed once the cause is gone."""

    failure: Failure
    """How it failed."""
    message: str
    """What failed and what to do about it, in one sentence for a person."""
    calls: tuple[Call, ...] = field(default=(), compare=False)
    """Model calls the attempt made, for whoever looks at what it cost."""
    causes: tuple[str, ...] = field(default=(), compare=False)
    """What caused it, the nearest cause first."""


@dataclass(frozen=True, slots=True)
class Review(Generic[E_co]):
    """A person decides: approval emits the proposal, nothing runs again."""

    reason: str
    """What the person should look at."""
    proposal: E_co
    """What approval emits."""
    failure: Failure | None = None
    """The class that sent it to a person, where there is one."""


@dataclass(frozen=True, slots=True)
class Park:
    """The record waits because something it needs is unavailable; no attempt is spent."""

    dependency: str
    """What it waits for, as `penstock breakers` names it."""
    message: str
    """Why, in one sentence."""
    after: float = 1.0
    """Seconds until it is worth looking again."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The document ends here, because an operator has cancelled it."""

    end: Event
    """The event that tells it."""
    reason: str
    """Why, and by whose word."""


Outcome = Emit[E_co] | Retry | DeadLetter | Review[E_co] | Park | Cancelled
