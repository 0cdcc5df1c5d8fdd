"""What stands in each topic of a pipeline, for whoever reads them all from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.core import topics
from shared.core.drawing import in_order
from shared.core.graph import Pipeline


class Kind(StrEnum):
    """The kind of topic a record stands in."""

    INPUT = "input"
    """A stage's input: it came from a stage before, from outside, or out of the dead letters."""
    RETRY = "retry"
    """Its stage wrote it, to take it up again later."""
    PARKED = "parked"
    """The same, where a dependency is away."""
    LETTER = "letter"
    """Its stage gave it up."""
    REVIEW = "review"
    """A person is asked."""
    RESULT = "result"
    """The document's end is told."""
    NOTE = "note"
    """What was done about a dead letter."""


ENDS = (Kind.RESULT, Kind.LETTER, Kind.REVIEW)
"""Where a document comes to rest."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the records of a topic are."""

    kind: Kind
    """Their kind."""
    stage: str
    """Whose topic it is; empty where it is no stage's."""
    takes: tuple[type[Any], ...]
    """What they can be."""
    depth: int
    """How far down the flow: of two things at the same moment the deeper one came later."""


def shelves(pipeline: Pipeline, ends: tuple[type[Any], ...]) -> Mapping[str, Shelf]:
    """Every topic that tells of documents, against the direction of the flow; `ends` stand on the results topic."""
    stages = in_order(pipeline)
    deepest = len(stages) * 10
    found = {
        topics.resolved(pipeline.name): Shelf(Kind.NOTE, "", (), deepest + 2),
        topics.results(pipeline.name): Shelf(Kind.RESULT, "", ends, deepest + 1),
        topics.review(pipeline.name): Shelf(Kind.REVIEW, "", pipeline.given, deepest),
    }
    for number, stage in reversed([*enumerate(stages)]):
        own, depth = pipeline.topics(stage), number * 10
        found[own.dead] = Shelf(Kind.LETTER, stage.name, stage.takes, depth + 3)
        found[own.parked] = Shelf(Kind.PARKED, stage.name, stage.takes, depth + 2)
        found |= {name: Shelf(Kind.RETRY, stage.name, stage.takes, depth + 1) for name in reversed(own.retries)}
        found[own.input] = Shelf(Kind.INPUT, stage.name, stage.takes, depth)
    return found


def doors(pipeline: Pipeline, ends: tuple[type[Any], ...]) -> Mapping[str, Shelf]:
    """The topics on which documents come in and come to rest, and what was done about dead letters.

    Enough to know which are on their way: what is between these is, wherever it is.
    """
    first = pipeline.topics(pipeline.first).input
    known = shelves(pipeline, ends)
    return {name: shelf for name, shelf in known.items() if shelf.kind in (*ENDS, Kind.NOTE) or name == first}
