"""Acts on dead letters: what re-enters and the note that it did are one transaction.

The order, and why:
  1. take the pipeline's one transactional id: an earlier run that still lives is fenced, one that was killed is ended
  2. read what is resolved and what is not; after 1 nobody else can change it unnoticed
  3. for some letters at a time: begin, write what the act writes, write the resolutions, commit
So a second run finds nothing to do, a killed run goes on where its last commit was, and of two runs at once the later
one finishes and the earlier one is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaException, Producer

from shared.core import topics
from shared.core.delivery import Delivery
from shared.core.errors import PenstockError
from shared.core.graph import Pipeline
from shared.core.headers import foreign
from shared.core.reentry import Reentry
from shared.core.trace import onward
from shared.kafka.calls import repeat
from shared.kafka.dead_letters import Chooses, DeadLetters, Letter, Resolution
from shared.kafka.properties import MESSAGE_BYTES, transactional
from shared.kafka.reading import mapped_errors
from shared.kafka.transactions import FENCED
from shared.kafka_port import Record

BATCH = 200
"""Letters of one transaction."""
BATCH_BYTES = 8_000_000
"""Their size, about: a transaction is held in memory until it is committed."""
OVERHEAD = 200
"""Bytes of a record that are neither key, value nor header, rounded up."""
SECONDS = 30.0

Act = Callable[[Letter], tuple[Sequence[Record], Resolution]]
"""What is written about a letter, and the note of it."""


class Overtaken(PenstockError):
    """Another run took over; what it has not done yet is still unresolved."""


@dataclass(frozen=True, slots=True)
class Reenters:
    """What re-enters for a letter, and where."""

    topic: str
    """Input topic of the stage."""
    record: Delivery
    """The letter's own record, or an earlier one of its document."""
    edited: bytes | None = None
    """What stands in the place of the record's value."""


@dataclass(slots=True)
class Acted:
    """What a run did."""

    done: list[str] = field(default_factory=list)
    """Ids of the letters acted on; their transactions are committed."""
    refused: dict[str, str] = field(default_factory=dict)
    """Id of each letter left as it is, to why."""


def replay_record(
    pipeline: Pipeline, letter: Letter, reentry: Reentry | None = None, onto: Reenters | None = None
) -> Record:
    """A letter on its way to a stage again: its own bytes at its own stage, where nothing else is said."""
    history = letter.delivery.history
    known = {stage.name: stage for stage in pipeline.stages}
    stage = known.get(history.stage, letter.stage) if history else letter.stage
    onto = onto or Reenters(pipeline.topics(stage).input, letter.delivery)
    reentry = reentry or Reentry(letter.delivery.position)
    headers = (*foreign(onto.record.headers), *reentry.to_headers(), *onward(letter.delivery))
    value = onto.record.value if onto.edited is None else onto.edited
    return Record(onto.topic, letter.delivery.key, value, headers, None)


def too_large(record: Record) -> str:
    """Why the record cannot be written to an input topic; empty where it can."""
    size = len(record.key or b"") + len(record.value or b"") + sum(len(n) + len(v) for n, v in record.headers)
    most = MESSAGE_BYTES + 48_588 - OVERHEAD
    return "" if size <= most else f"{size:,} bytes, {record.topic} takes {most:,}: discard it"


def act(
    kafka: Mapping[str, Any],
    letters: DeadLetters,
    selection: Chooses,
    how: Act,
    report: Callable[[Acted], None] = lambda acted: None,
    batch: int = BATCH,
) -> Acted:
    """Act on the selected letters; `report` is told after each commit. Raises Overtaken, Unavailable."""
    acted = Acted()
    with mapped_errors("dead letters"), told_of_fencing():
        writer = Writer(kafka, letters.pipeline.name)  # 1
        for some in batches(letters.unresolved(selection), batch):  # 2
            planned = [(letter, *how(letter)) for letter in some]
            refused = {letter.id: why for letter, records, _ in planned if (why := "".join(map(too_large, records)))}
            taken = [entry for entry in planned if entry[0].id not in refused]
            acted.refused |= refused
            writer.write(
                [record for letter, records, note in taken for record in (*records, writer.note(letter.id, note))]
            )  # 3
            acted.done += [letter.id for letter, _, _ in taken]
            report(acted)
    return acted


class Writer:
    """The one writer of a pipeline's resolutions and receipts: whoever comes later ends what it left open."""

    def __init__(self, kafka: Mapping[str, Any], pipeline: str) -> None:
        """Take the transactional id. Raises KafkaException."""
        self._resolved = topics.resolved(pipeline)
        self._producer = Producer(transactional(kafka, f"{pipeline}.dlq.replay"))
        repeat(lambda: self._producer.init_transactions(SECONDS), SECONDS)

    def note(self, letter_id: str, resolution: Resolution) -> Record:
        """The record of what was done about a letter."""
        return Record(self._resolved, letter_id.encode(), resolution.to_json(), (), None)

    def write(self, records: Sequence[Record]) -> None:
        """Write all of them or none. Raises KafkaException."""
        if not records:
            return
        self._producer.begin_transaction()
        try:
            for record in records:
                _produce(self._producer, record)
            repeat(lambda: self._producer.commit_transaction(SECONDS), SECONDS)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                repeat(lambda: self._producer.abort_transaction(SECONDS), SECONDS)
            raise


@contextmanager
def told_of_fencing() -> Iterator[None]:
    """Turn the loss of the transactional id into Overtaken."""
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() in FENCED:
            raise Overtaken(
                "another run acts on this pipeline's dead letters: look at `penstock dlq receipts`"
            ) from error
        raise


def batches(letters: Iterable[Letter], most: int) -> Iterator[list[Letter]]:
    """The letters in groups that fit a transaction."""
    group: list[Letter] = []
    size = 0
    for letter in letters:
        group.append(letter)
        size += len(letter.delivery.value or b"")
        if len(group) >= most or size >= BATCH_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _produce(producer: Producer, record: Record) -> None:
    while True:
        try:
            producer.produce(record.topic, value=record.value, key=record.key, headers=list(record.headers))
            return
        except BufferError:
            producer.poll(0.1)
