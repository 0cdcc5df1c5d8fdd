"""Waits until documents have come to an end, or to where only a person can help them on."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from shared.cli.session import Session
from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.errors import Failed
from shared.core.event import Partition
from shared.kafka.reading import Reader, Tail
from shared.kafka.whereabouts import DEAD, REVIEW


@dataclass(frozen=True, slots=True)
class End:
    """How one document ended."""

    document_id: str
    """The document."""
    state: str
    """stored, rejected, …, dead-lettered or in-review."""
    failure: str = ""
    """Failure class of a dead letter or a review."""
    stage: str = ""
    """Stage of a dead letter or a review."""
    message: str = ""
    """Why, in one sentence."""


@dataclass(slots=True)
class Ends:
    """What has been seen of the documents waited for."""

    wanted: Collection[str]
    """The documents."""
    seen: dict[str, End] = field(default_factory=dict)
    """Ends so far, by document."""

    @property
    def open(self) -> int:
        """How many are still on their way."""
        return len(set(self.wanted) - self.seen.keys())

    @property
    def counts(self) -> dict[str, int]:
        """State to number of documents."""
        return dict(Counter(end.state for end in self.seen.values()))


def doors_out(session: Session) -> list[str]:
    """Topics on which a document's end shows."""
    pipeline = session.pipeline
    return [
        topics.results(pipeline.name),
        topics.review(pipeline.name),
        *(pipeline.topics(stage).dead for stage in pipeline.stages),
    ]


def starts(session: Session) -> dict[Partition, int]:
    """Where to begin waiting; ask before the documents are published, or a quick one ends unseen."""
    return {part: span.end for part, span in Reader(session.kafka).spans(doors_out(session)).items()}


def wait_for(
    session: Session, ends: Ends, begin: dict[Partition, int], seconds: float, report: Callable[[Ends], None]
) -> None:
    """Wait until all have ended. Raises TimeoutError; what was seen until then is in `ends`."""
    deadline = time.monotonic() + seconds
    with Tail(session.kafka, begin) as tail:
        while ends.open:
            for record in tail.poll(0.2):
                end = end_of(session, record) if isinstance(record, Delivery) else None
                if end and end.document_id in ends.wanted:
                    ends.seen[end.document_id] = end
            report(ends)
            if ends.open and time.monotonic() > deadline:
                raise TimeoutError(f"{ends.open} documents are still on their way after {seconds:g} s")


def end_of(session: Session, record: Delivery) -> End:
    """What a record says of its document's end."""
    document_id = (record.key or b"").decode("utf-8", "replace")
    if record.position.topic == topics.results(session.pipeline.name):
        try:
            event = session.codec.decode(record.value or b"", session.ends)
        except Failed:
            return End(document_id, "stored")
        return End(document_id, getattr(event, "state", "stored"), message=getattr(event, "reason", ""))
    state = REVIEW if record.position.topic == topics.review(session.pipeline.name) else DEAD
    history = record.history
    if history is None:
        return End(document_id, state)
    return End(document_id, state, history.failure.value, history.stage, history.message)
