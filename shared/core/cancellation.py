"""An operator's word that documents are to end: which, by whom, why, and whether an event falls under it.

    a document   up to the version that was known then     a newer version flows again
    a batch      what had been submitted until then         what is handed in later flows

A word stands in `<pipeline>.cancelled` for as long as anything of the documents can still be under way. It never holds
for all of a name for ever: the sender of a nightly batch, or of a mended document, could do nothing but rename it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

CANCELLED = "cancelled"
"""State of a document that ended so."""
DOCUMENT, BATCH = "document", "batch"
"""What can be cancelled."""
CANCEL = "cancel"
"""What is decided about a review whose document is cancelled."""
EPOCH = datetime.fromtimestamp(0, UTC)
"""When a submission was made whose sender did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """One word about one document or one batch."""

    kind: str
    """`document` or `batch`."""
    name: str
    """Id of the document, or name of the batch."""
    by: str
    """Who said it."""
    reason: str
    """Why."""
    at: datetime
    """When, UTC."""
    version: int = 0
    """Of a document: the highest version that is cancelled."""
    until: datetime = EPOCH
    """Of a batch: the latest submission that is cancelled, UTC."""

    @property
    def key(self) -> bytes:
        """What its record is called: a later word about the same takes its place."""
        return f"{self.kind}/{self.name}".encode()

    @property
    def said(self) -> str:
        """The reason, and whose it is."""
        return f"{self.reason} (cancelled by {self.by})"

    def covers(self, event: Any) -> bool:
        """Whether an event is one of those that are to end."""
        if self.kind == DOCUMENT:
            return bool(event.document_id == self.name) and version_of(event) <= self.version
        return batch_of(event) == self.name and submitted_of(event) <= self.until

    def to_json(self) -> bytes:
        """As it stands in Kafka."""
        plain = asdict(self) | {"at": self.at.isoformat(), "until": self.until.isoformat()}
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "backslashreplace")

    @classmethod
    def from_json(cls, data: bytes) -> "Cancellation":
        """Read it back; what a later version added is left out. Raises ValueError where nobody of us wrote it."""
        try:
            raw = json.loads(data)
            said = {name: str(raw[name]) for name in ("kind", "name", "by", "reason")}
            at, until = (moment(raw[name]) for name in ("at", "until"))
            found = cls(**said, at=at, version=int(raw["version"]), until=until)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a cancellation: {data[:80]!r}") from error
        if found.kind not in (DOCUMENT, BATCH) or not found.name:
            raise ValueError(f"not a cancellation: {data[:80]!r}")
        return found


class Cancellations:
    """Every word that is known; asked about each event, so a look costs a dictionary or two."""

    def __init__(self) -> None:
        self._documents: dict[str, Cancellation] = {}
        self._batches: dict[str, Cancellation] = {}

    def __len__(self) -> int:
        return len(self._documents) + len(self._batches)

    def learn(self, key: bytes, value: bytes | None) -> None:
        """Take in a record of the topic; one that nobody of us wrote cancels nothing."""
        if value is None:
            kind, _, name = key.decode("utf-8", "replace").partition("/")
            self._of_kind(kind).pop(name, None)
            return
        try:
            found = Cancellation.from_json(value)
        except ValueError:
            return
        if found.key == key:
            self._of_kind(found.kind)[found.name] = found

    def of(self, event: Any) -> Cancellation | None:
        """The word under which an event falls."""
        if self._documents and (found := self._documents.get(event.document_id)) is not None and found.covers(event):
            return found
        if self._batches and (found := self._batches.get(batch_of(event))) is not None and found.covers(event):
            return found
        return None

    def find(self, kind: str, name: str) -> Cancellation | None:
        """The word about a document or a batch."""
        return self._of_kind(kind).get(name)

    def _of_kind(self, kind: str) -> dict[str, Cancellation]:
        return self._documents if kind == DOCUMENT else self._batches


Covers = Callable[[Any], Cancellation | None]
"""An event to the word under which it falls."""


def batch_of(event: Any) -> str:
    """The batch an event came with; empty where it came alone, or its type knows of none."""
    return str(getattr(event, "batch_id", ""))


def version_of(event: Any) -> int:
    """Version of the submission that an event is about; 1 where its type knows of none."""
    found = getattr(event, "version", 1)
    return found if isinstance(found, int) else 1


def submitted_of(event: Any) -> datetime:
    """When the submission was made, as its sender said; the epoch where nobody did, and so before every word."""
    found = getattr(getattr(event, "submission", event), "submitted_at", None)
    return found if isinstance(found, datetime) and found.tzinfo else EPOCH


def moment(text: str) -> datetime:
    """A time with its zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} names no zone")
    return found
