"""What a document's account is written on: tasks, what is short, and what it all comes to."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from shared.core.conservation.facts import Finding, Seen, Stage


@dataclass(slots=True)
class Task:
    """What is known of one token at one stage."""

    place: str
    """A record of it."""
    came: bool = False
    """It came to the stage's input, or somebody from outside put it elsewhere."""
    sure: int = 0
    """Records of it that were completed before."""
    maybe: int = 0
    """Records of it that were completed after."""
    pending: list[str] = field(default_factory=list)
    """States of the records that were not completed before."""
    again: int = 0
    """How often it was put back."""
    dead: int = 0
    """How often it became a dead letter."""


@dataclass(slots=True)
class Short:
    """What is completed and has caused less than it had to."""

    stage: str
    """At which stage."""
    place: str
    """A record of it."""
    child: str
    """Id of the event that could have come of it."""
    count: int
    """How much is missing."""


@dataclass(slots=True)
class Account:
    """What one document comes to."""

    document: str
    """The document."""
    batches: set[str] = field(default_factory=set)
    """Batches it came with."""
    published: int = 0
    """Records that came in at the ingest topic."""
    entered: int = 0
    """Records that came from outside at any other place."""
    split: int = 0
    """Events beyond the first that came of one record."""
    states: Counter[str] = field(default_factory=Counter)
    """Where they all are now."""
    stages: dict[str, Stage] = field(default_factory=lambda: defaultdict(Stage))
    """What each stage did."""
    short: list[Short] = field(default_factory=list)
    """What is completed and has caused less than it had to; none of the document's own records can be it."""
    strays: list[Seen] = field(default_factory=list)
    """Ends and reviews that nothing led to."""
    arrivals: list[Seen] = field(default_factory=list)
    """Records at a stage's input that nothing led to."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong."""
