"""A pipeline drawn: as text, as Mermaid, as JSON. What is drawn is the value itself, never a copy kept by hand."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from shared.core import topics
from shared.core.graph import Edge, FailureEdge, Pipeline, Sink
from shared.core.stage import Stage

EVERY, ANY_FAILURE = "every stage", "any failure"


def in_order(pipeline: Pipeline) -> list[Stage[Any, Any]]:
    """The stages in the direction of the flow: none before one that feeds it."""
    before: dict[str, list[str]] = {stage.name: [] for stage in pipeline.stages}
    steps: tuple[Edge | FailureEdge, ...] = (*pipeline.flow, *pipeline.failures)
    for step in steps:
        if isinstance(step.target, Stage) and step.source is not None:
            before[step.target.name].append(step.source.name)
    return [pipeline.stage(name) for name in TopologicalSorter(before).static_order()]


def as_json(pipeline: Pipeline) -> dict[str, Any]:
    """Everything the value says, for programs."""
    return {
        "pipeline": pipeline.name,
        "partitions": pipeline.partitions,
        "ingest": pipeline.topics(pipeline.first).input,
        "results": topics.results(pipeline.name),
        "review": topics.review(pipeline.name),
        "stages": [_stage(pipeline, stage) for stage in in_order(pipeline)],
        "edges": [{"from": e.source.name, "to": target(e), "when": e.label} for e in pipeline.flow],
        "failures": [{"from": source(f), "class": failure(f), "to": target(f)} for f in pipeline.failures],
    }


def as_text(pipeline: Pipeline) -> str:
    """For a terminal."""
    width = max(len(stage.name) for stage in pipeline.stages)
    return "\n".join([f"{pipeline.name}: {pipeline.topics(pipeline.first).input}", *_lines(pipeline, width)])


def as_mermaid(pipeline: Pipeline) -> str:
    """For a page that renders Mermaid: plain edges solid, failure routes dotted."""
    return "\n".join(["flowchart LR", *(f"    {line}" for line in _mermaid(pipeline))])


def source(route: FailureEdge) -> str:
    """The stage that fails, or all of them."""
    return route.source.name if route.source else EVERY


def failure(route: FailureEdge) -> str:
    """The class that takes the route, or any."""
    return route.failure.value if route.failure else ANY_FAILURE


def target(step: Edge | FailureEdge) -> str:
    """Where an edge leads."""
    return step.target.value if isinstance(step.target, Sink) else step.target.name


def _stage(pipeline: Pipeline, stage: Stage[Any, Any]) -> dict[str, Any]:
    own, retries = pipeline.topics(stage), pipeline.retry_policy(stage)
    return {
        "name": stage.name,
        "takes": [kind.__name__ for kind in stage.takes],
        "gives": [kind.__name__ for kind in stage.gives],
        "needs": list(stage.needs),
        "topics": {"input": own.input, "retries": list(own.retries), "parked": own.parked, "dead": own.dead},
        "attempts": retries.attempts,
        "tiers": list(retries.tiers),
    }


def _lines(pipeline: Pipeline, width: int) -> Iterator[str]:
    for stage in in_order(pipeline):
        takes = " or ".join(kind.__name__ for kind in stage.takes)
        needs = f", needs {', '.join(stage.needs)}" if stage.needs else ""
        yield f"  {stage.name:{width}}  {takes} -> {' or '.join(kind.__name__ for kind in stage.gives)}{needs}"
        for step in pipeline.edges_from(stage):
            yield f"  {'':{width}}    -> {target(step)}" + (f"  when {step.label}" if step.label else "")
        for route in (route for route in pipeline.failures if route.source is stage):
            yield f"  {'':{width}}    !! {failure(route)} -> {target(route)}"
    for route in (route for route in pipeline.failures if route.source is None):
        yield f"  {EVERY}: {failure(route)} -> {target(route)}"


def _mermaid(pipeline: Pipeline) -> Iterator[str]:
    yield f"ingest([{pipeline.topics(pipeline.first).input}]) --> {pipeline.first.name}"
    for stage in in_order(pipeline):
        yield f"{stage.name}[{stage.name}]"
    for step in pipeline.flow:
        yield f"{step.source.name} -->{f'|{step.label}|' if step.label else ''} {_node(pipeline, step)}"
    every = " & ".join(stage.name for stage in in_order(pipeline))
    for route in pipeline.failures:
        yield f"{route.source.name if route.source else every} -. {failure(route)} .-> {_node(pipeline, route)}"


def _node(pipeline: Pipeline, step: Edge | FailureEdge) -> str:
    match step.target:
        case Sink.RESULTS:
            return f"results([{topics.results(pipeline.name)}])"
        case Sink.REVIEW:
            return f"review{{{{{topics.review(pipeline.name)}}}}}"
        case Sink.DEAD_LETTERS:
            return "dead[(dead letters)]"
        case _:
            return target(step)
