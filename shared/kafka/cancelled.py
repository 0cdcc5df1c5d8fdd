"""Operators' words in `<pipeline>.cancelled`, as a command reads and adds them."""

from collections.abc import Mapping
from typing import Any

from shared.core import topics
from shared.core.cancellation import Cancellation, Cancellations
from shared.core.graph import Pipeline
from shared.kafka.log import write
from shared.kafka.reading import Reader


def words(reader: Reader, pipeline: Pipeline) -> Cancellations:
    """Every word that holds."""
    known = Cancellations()
    for record in reader.read([topics.cancelled(pipeline.name)]):
        if record.key is not None:
            known.learn(record.key, record.value)
    return known


def say(kafka: Mapping[str, Any], pipeline: Pipeline, word: Cancellation) -> None:
    """Add a word; when this returns it holds, and outlives every process. Raises Unavailable."""
    write(kafka, topics.cancelled(pipeline.name), word.key, word.to_json())


def take_back(kafka: Mapping[str, Any], pipeline: Pipeline, word: Cancellation) -> None:
    """Remove a word that turned out to be about nothing. Raises Unavailable."""
    write(kafka, topics.cancelled(pipeline.name), word.key, None)
