"""Which stage of a pipeline may cause what: the graph as the audit needs it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.drawing import in_order
from shared.core.graph import Pipeline, Sink
from shared.core.stage import DATABASE

RESULTS = "results"
"""The pipeline's end, where stages are named; no stage may be called so."""
DESK = "review"
"""The review desk, as the parent of what a rejection tells."""
ROOT = uuid.UUID("6f8c2a1e-0f6d-5a0b-9d57-70e4573c0de5")
"""Root of derived ids. Said again and not imported: an audit that asked the engine for its ids would believe it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The edges by name."""

    first: str
    """Stage that reads the ingest topic."""
    goals: Mapping[str, frozenset[str]]
    """Stage to where its events may go."""
    routes: Mapping[str, frozenset[str]]
    """Stage to the stages that a failure of its may be routed to."""
    stores: bool
    """Its ends stand in the table of results too."""
    rejections: bool
    """A rejection is told on the results topic."""


def flow_of(pipeline: Pipeline, *, rejections: bool) -> Flow:
    """The edges of a pipeline."""
    stages = in_order(pipeline)
    goals = {
        stage.name: frozenset(
            RESULTS if isinstance(step.target, Sink) else step.target.name for step in pipeline.edges_from(stage)
        )
        for stage in stages
    }
    routes = {
        stage.name: frozenset(
            route.target.name
            for route in pipeline.failures
            if not isinstance(route.target, Sink) and route.source in (stage, None)
        )
        for stage in stages
    }
    ends = [step.source for step in pipeline.flow if isinstance(step.target, Sink)]
    stores = any(DATABASE in stage.needs for stage in ends)
    return Flow(pipeline.first.name, goals, routes, stores, rejections)


def child(token: str, stage: str, index: int = 0) -> str:
    """The id of the index-th event that a stage makes of a token."""
    return str(uuid.uuid5(ROOT, f"{token}/{stage}/{index}"))
