"""What the audit sees: one fact a record, and what the tables keep of a document. Plain values, whoever read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.core.shelves import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One record."""

    kind: Kind
    """What it is."""
    place: str
    """Where it stands: topic/partition/offset."""
    document: str
    """Its key."""
    stage: str = ""
    """The stage whose topic it is; of a review the stage that asks; of a result none."""
    batch: str = ""
    """The batch, where the event could be read."""
    event_id: str = ""
    """The event's id, where it could be read and has one."""
    origin: str = ""
    """Where it first reached the stage, if its headers tell that that was another place."""
    replayed: str = ""
    """Of an input: place of the dead letter that it was replayed from."""
    sure: bool = False
    """The group's progress was beyond it before the audit looked for the ends of the topics."""
    maybe: bool = False
    """It was so afterwards."""
    state: str = ""
    """Of a result how the document ended; of a letter what was done about it."""
    version: int | None = None
    """Of a result: the submission's version, where it tells one."""

    @property
    def token(self) -> str:
        """What is done at a stage: the event by its id, or the record by the place at which it first stood."""
        return self.event_id or self.origin or self.place

    @property
    def foreign(self) -> bool:
        """Nobody of us wrote it there: a record that goes on or fails always tells where it came from."""
        return self.kind in (Kind.RETRY, Kind.PARKED, Kind.LETTER) and not self.origin


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of the table of reviews."""

    decision: str
    """approve, reject, or empty while nobody has decided."""
    sequence: int
    """Its number in the outbox; 0 while undecided."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the tables keep."""

    stored: Mapping[str, int] = field(default_factory=dict)
    """Document to the version of its row in the table of results."""
    reviews: Mapping[str, Decision] = field(default_factory=dict)
    """Place of the request to the row."""
    accepted: Mapping[str, str] = field(default_factory=dict)
    """Documents that the ingest door has acknowledged, each with its batch; read before the topics were."""
    sent: tuple[int, int] = (0, 0)
    """Number of the last decision sent, before the ends of the topics were looked for and after."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the law does not allow."""

    kind: str
    """missing, doubled, unexplained, or deleted."""
    document: str
    """The document; empty where the record has no key."""
    stage: str
    """Where."""
    place: str
    """A record by which it shows."""
    message: str
    """What is wrong, in one sentence."""


MISSING, DOUBLED, UNEXPLAINED, DELETED = "missing", "doubled", "unexplained", "deleted"
"""Something is completed and nothing came of it; more came of it than may; nothing led to it; records are gone."""


@dataclass(slots=True)
class Stage:
    """What one stage did, in records."""

    taken: int = 0
    """Records that came: from before, again, from outside."""
    waiting: int = 0
    """Of these not done: waiting, held for a retry, or parked."""
    emitted: int = 0
    """Records that went on."""
    again: int = 0
    """Records that were put back: retried or parked."""
    dead: int = 0
    """Dead letters."""
    asked: int = 0
    """Reviews asked for."""


Facts = Sequence[Seen]
"""All records of one document, in any order."""
