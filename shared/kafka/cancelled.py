"""Operators' words in `<pipeline>.cancelled`, as a command reads and adds them."""

from collections.abc import Mapping
from typing import Any

from shared.core import topics
from shared.core.cancellation import Cancellation, Cancellations
from shared.core.graph import Pipeline
from shared.kafka.log import KafkaLog, write

SECONDS = 15.0
"""How long it may take to read them all."""


def words(kafka: Mapping[str, Any], pipeline: Pipeline) -> Cancellations:
    """Every word that holds. Raises Unavailable."""
    known = Cancellations()
    for key, value in KafkaLog(kafka, topics.cancelled(pipeline.name), wait_ms=10).rest(SECONDS):
        known.learn(key, value)
    return known


def say(kafka: Mapping[str, Any], pipeline: Pipeline, word: Cancellation) -> None:
    """Add a word; when this returns it holds, and outlives every process. Raises Unavailable."""
    write(kafka, topics.cancelled(pipeline.name), word.key, word.to_json())


def take_back(kafka: Mapping[str, Any], pipeline: Pipeline, word: Cancellation) -> None:
    """Remove a word that turned out to be about nothing. Raises Unavailable."""
    write(kafka, topics.cancelled(pipeline.name), word.key, None)
