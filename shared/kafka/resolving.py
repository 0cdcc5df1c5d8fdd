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
from shared.core.errors import PenstockError
from shared.core.graph import Pipeline
from shared.core.headers import REPLAYED, foreign
from shared.kafka.calls import repeat
from shared.kafka.dead_letters import DeadLetters, Letter, Resolution, Selection
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


@dataclass(slots=True)
class Acted:
    """What a run did."""

    done: list[str] = field(default_factory=list)
    """Ids of the letters acted on; their transactions are committed."""
    refused: dict[str, str] = field(default_factory=dict)
    """Id of each letter left as it is, to why."""


def replay_record(pipeline: Pipeline, letter: Letter) -> Record:
    """The letter's own bytes, on their way to the stage again."""
    history = letter.delivery.history
    known = {stage.name: stage for stage in pipeline.stages}
    stage = known.get(history.stage, letter.stage) if history else letter.stage
    headers = (*foreign(letter.delivery.headers), (REPLAYED, str(letter.delivery.position).encode()))
    return Record(pipeline.topics(stage).input, letter.delivery.key, letter.delivery.value, headers, None)


def too_large(record: Record) -> str:
    """Why the record cannot be written to an input topic; empty where it can."""
    size = len(record.key or b"") + len(record.value or b"") + sum(len(n) + len(v) for n, v in record.headers)
    most = MESSAGE_BYTES + 48_588 - OVERHEAD
    return "" if size <= most else f"{size:,} bytes, {record.topic} takes {most:,}: discard it"


def act(
    kafka: Mapping[str, Any],
    letters: DeadLetters,
    selection: Selection,
    how: Act,
    report: Callable[[Acted], None] = lambda acted: None,
    batch: int = BATCH,
) -> Acted:
    """Act on the selected letters; `report` is told after each commit. Raises Overtaken, Unavailable."""
    name = letters.pipeline.name
    producer = Producer(transactional(kafka, f"{name}.dlq.replay"))
    acted = Acted()
    with mapped_errors("dead letters"), told_of_fencing():
        repeat(lambda: producer.init_transactions(SECONDS), SECONDS)  # 1
        for some in batches(letters.unresolved(selection), batch):  # 2
            _transaction(producer, topics.resolved(name), some, how, acted)  # 3
            report(acted)
    return acted


@contextmanager
def told_of_fencing() -> Iterator[None]:
    """Turn the loss of the transactional id into Overtaken."""
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() in FENCED:
            raise Overtaken("another run acts on this pipeline's dead letters: look at `penstock dlq list`") from error
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


def _transaction(producer: Producer, resolved: str, some: Sequence[Letter], how: Act, acted: Acted) -> None:
    planned = [(letter, *how(letter)) for letter in some]
    refused = {letter.id: why for letter, records, _ in planned if (why := "".join(map(too_large, records)))}
    taken = [entry for entry in planned if entry[0].id not in refused]
    acted.refused |= refused
    if not taken:
        return
    producer.begin_transaction()
    try:
        for letter, records, resolution in taken:
            for record in records:
                _produce(producer, record)
            _produce(producer, Record(resolved, letter.id.encode(), resolution.to_json(), (), None))
        repeat(lambda: producer.commit_transaction(SECONDS), SECONDS)
    except KafkaException as error:
        if error.args[0].txn_requires_abort():
            repeat(lambda: producer.abort_transaction(SECONDS), SECONDS)
        raise
    acted.done += [letter.id for letter, _, _ in taken]


def _produce(producer: Producer, record: Record) -> None:
    while True:
        try:
            producer.produce(record.topic, value=record.value, key=record.key, headers=list(record.headers))
            return
        except BufferError:
            producer.poll(0.1)
