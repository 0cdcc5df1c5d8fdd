"""The rest of a document's way: the stages that may follow on one that it is at, branch by branch. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.core.drawing import in_order
from shared.core.graph import Pipeline
from shared.core.stage import Stage

MOST = 6
"""Branches that are told; a pipeline with more is better looked at with `penstock topology`."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to the end."""

    stages: tuple[str, ...]
    """The stages that follow, in order; none where the end does."""
    when: tuple[str, ...] = ()
    """On which conditions, in the words of the edges."""


def branches(pipeline: Pipeline, stage: Stage[Any, Any]) -> list[Branch]:
    """Every way from a stage to the end, failures left out."""
    return list(islice(dict.fromkeys(_from(pipeline, stage)), MOST))


def stages_after(pipeline: Pipeline, name: str) -> list[str]:
    """The stage and all that may follow, in the direction of the flow."""
    found = {name} | {one for branch in _from(pipeline, pipeline.stage(name)) for one in branch.stages}
    return [stage.name for stage in in_order(pipeline) if stage.name in found]


def _from(pipeline: Pipeline, stage: Stage[Any, Any]) -> Iterator[Branch]:
    for step in pipeline.edges_from(stage):
        when = (step.label,) if step.label else ()
        if not isinstance(step.target, Stage):
            yield Branch((), when)
            continue
        for rest in _from(pipeline, step.target):
            yield Branch((step.target.name, *rest.stages), when + rest.when)
