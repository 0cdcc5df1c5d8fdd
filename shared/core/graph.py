"""A pipeline as a value: stages and edges, checked when it is constructed.

    Pipeline("documents",
        flow=(edge(EXTRACT, CLASSIFY),
              edge(CLASSIFY, ANALYZE, when=is_technical),
              edge(CLASSIFY, STORE, when=is_standard), …
              edge(STORE, RESULTS)),
        failures=(on_failure(CLASSIFY, Failure.LOW_CONFIDENCE, REVIEW), on_failure(EVERY_STAGE, ANY, DEAD_LETTERS)))

It refuses cycles, orphans, unreachable stages, edges whose event types do not match, stages without a way out, and
stages whose failures have no route, each with a sentence that names the edge and the remedy.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from shared.core import topics
from shared.core.errors import Misconfigured
from shared.core.event import Event
from shared.core.failures import Failure, Remedy
from shared.core.remedies import Fallback, Remedies
from shared.core.retry import RetryPolicy
from shared.core.stage import NAME, Stage


class Sink(Enum):
    """Where a record leaves the flow of stages."""

    RESULTS = "results"
    """The pipeline's end: `<pipeline>.results`."""
    REVIEW = "review"
    """A person decides: `<pipeline>.review`."""
    DEAD_LETTERS = "dead letters"
    """Failed for good: `<pipeline>.<stage>.dlq`."""


RESULTS, REVIEW, DEAD_LETTERS = Sink.RESULTS, Sink.REVIEW, Sink.DEAD_LETTERS

Predicate = Callable[[Any], bool]
"""A pure question about an event."""


def tenant_of(event: Any) -> str:
    """On whose account the work on an event is, where events carry a `tenant`; empty where they do not."""
    return str(getattr(event, "tenant", ""))


@dataclass(frozen=True, slots=True)
class Edge:
    """What a stage emits goes there, if the condition holds."""

    source: Stage[Any, Any]
    """Stage that emits."""
    target: "Stage[Any, Any] | Sink"
    """Stage that takes it, or the end of the pipeline."""
    condition: Predicate | None = None
    """Holds for the events that take this edge; None: all do."""

    @property
    def label(self) -> str:
        """The condition in words: its function's name."""
        return "" if self.condition is None else getattr(self.condition, "__name__", "condition").replace("_", " ")


@dataclass(frozen=True, slots=True)
class FailureEdge:
    """What fails in a stage with a class goes there: its input event, unchanged."""

    source: Stage[Any, Any] | None
    """Stage that fails; None: every stage."""
    failure: Failure | None
    """Failure class; None: any."""
    target: "Stage[Any, Any] | Sink"
    """Another stage that takes the same event, a person, or the dead letters."""


EVERY_STAGE: None = None
ANY: None = None


def edge(source: Stage[Any, Any], target: Stage[Any, Any] | Sink, *, when: Predicate | None = None) -> Edge:
    """Connect a stage to the next one, for all its events or for those of which the condition holds."""
    return Edge(source, target, when)


def on_failure(source: Stage[Any, Any] | None, failure: Failure | None, target: Stage[Any, Any] | Sink) -> FailureEdge:
    """Route a failure class of a stage; EVERY_STAGE and ANY stand for all."""
    return FailureEdge(source, failure, target)


@dataclass(frozen=True)
class Pipeline:
    """A directed acyclic graph of stages with its failure routes. Raises Misconfigured where it does not hold."""

    name: str
    """First word of every topic, group and transactional id."""
    flow: tuple[Edge, ...]
    """Where emitted events go; the first edge's source is the first stage."""
    failures: tuple[FailureEdge, ...]
    """Where failures go; the most specific route wins."""
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    """How every stage tries again, unless `stage_retries` names it."""
    stage_retries: dict[str, RetryPolicy] = field(default_factory=dict)
    """Stage name to a policy of its own."""
    partitions: int = 12
    """Partitions of the input, retry and parked topics of every stage, fixed when they are made."""
    remedies: Remedies = field(default_factory=Remedies)
    """What is done about each failure class."""
    fallback: Fallback = Fallback.NEXT
    """Whether another model is asked while one is away."""
    tenant: Callable[[Any], str] = tenant_of
    """An event to the tenant on whose account it is: results of paid calls are never shared between tenants."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name == topics.OWN:
            raise Misconfigured(f"pipeline {self.name!r}: a name is lower-case letters, digits and _, not {topics.OWN}")
        for problem in problems(self):
            raise Misconfigured(f"pipeline {self.name}: {problem}")

    @property
    def first(self) -> Stage[Any, Any]:
        """The stage that reads the ingest topic."""
        return self.flow[0].source

    @property
    def stages(self) -> tuple[Stage[Any, Any], ...]:
        """Every stage once, in the order of the flow."""
        ends: list[Any] = [end for step in self.flow for end in (step.source, step.target)]
        ends += [end for step in self.failures for end in (step.source, step.target)]
        return tuple(dict.fromkeys(end for end in ends if isinstance(end, Stage)))

    @property
    def given(self) -> tuple[type[Event], ...]:
        """Every event type that a stage emits, once."""
        return tuple(dict.fromkeys(kind for stage in self.stages for kind in stage.gives))

    def stage(self, name: str) -> Stage[Any, Any]:
        """The stage of that name. Raises Misconfigured with the names there are."""
        for candidate in self.stages:
            if candidate.name == name:
                return candidate
        raise Misconfigured(
            f"pipeline {self.name} has no stage {name!r}; it has {', '.join(s.name for s in self.stages)}"
        )

    def edges_from(self, source: Stage[Any, Any]) -> tuple[Edge, ...]:
        """Edges that leave the stage, in the order given."""
        return tuple(step for step in self.flow if step.source == source)

    def retry_policy(self, stage: Stage[Any, Any]) -> RetryPolicy:
        """How the stage tries again."""
        return self.stage_retries.get(stage.name, self.retries)

    def route_failure(self, stage: Stage[Any, Any], failure: Failure) -> Stage[Any, Any] | Sink:
        """Where a failure of that class goes from there: stage and class, then stage, then class, then any."""
        for source, kind in ((stage, failure), (stage, None), (None, failure), (None, None)):
            for step in self.failures:
                if step.source == source and step.failure is kind:
                    return step.target
        return DEAD_LETTERS

    def topics(self, stage: Stage[Any, Any]) -> topics.StageTopics:
        """The stage's own topics."""
        tiers = self.retry_policy(stage).tiers
        return topics.stage_topics(self.name, stage.name, first=stage == self.first, tiers=tiers)

    def leads_to(self, step: Edge) -> str:
        """The topic on which what takes that edge stands."""
        return topics.results(self.name) if isinstance(step.target, Sink) else self.topics(step.target).input

    def with_retries(self, retries: RetryPolicy) -> "Pipeline":
        """The same pipeline under another retry policy."""
        return replace(self, retries=retries)

    def configured(self, remedies: Mapping[Failure, Remedy], fallback: Fallback | None) -> "Pipeline":
        """The same pipeline with what an installation sets about failures. Raises Misconfigured."""
        return replace(self, remedies=self.remedies.with_changes(remedies), fallback=fallback or self.fallback)


def problems(pipeline: Pipeline) -> Iterator[str]:
    """Everything that is wrong with the graph, a sentence each."""
    if not pipeline.flow:
        yield "it has no edge; give it at least `edge(STAGE, RESULTS)`"
        return
    names = [s.name for s in pipeline.stages]
    for name in {n for n in names if names.count(n) > 1}:
        yield f"two stages are called {name!r}; rename one"
    yield from _cycles(pipeline)
    yield from _mismatches(pipeline)
    yield from _lost_stages(pipeline)
    yield from _missing_failure_routes(pipeline)
    for name in pipeline.stage_retries.keys() - names:
        yield f"stage_retries names {name!r}, which is no stage of it; it has {', '.join(names)}"
    if pipeline.partitions < 1:
        yield f"it has {pipeline.partitions} partitions; give it 1 or more"


def _next(pipeline: Pipeline, stage: Stage[Any, Any]) -> list[Stage[Any, Any]]:
    """Stages that can follow, on success or on failure."""
    ends: list[Any] = [step.target for step in pipeline.edges_from(stage)]
    ends += [pipeline.route_failure(stage, failure) for failure in Failure]
    return [end for end in dict.fromkeys(ends) if isinstance(end, Stage)]


def _cycles(pipeline: Pipeline) -> Iterator[str]:
    done: set[str] = set()

    def walk(stage: Stage[Any, Any], path: tuple[str, ...]) -> Iterator[str]:
        if stage.name in path:
            loop = " -> ".join((*path[path.index(stage.name) :], stage.name))
            yield f"{loop} is a cycle; a document would never end: remove one of these edges"
        elif stage.name not in done:
            for follower in _next(pipeline, stage):
                yield from walk(follower, (*path, stage.name))
            done.add(stage.name)

    for stage in pipeline.stages:
        yield from walk(stage, ())


def _mismatches(pipeline: Pipeline) -> Iterator[str]:
    for step in pipeline.flow:
        if isinstance(step.target, Stage) and not set(step.source.gives) & set(step.target.takes):
            yield (
                f"{step.source.name} gives {_names(step.source.gives)}, but {step.target.name} takes"
                f" {_names(step.target.takes)}: change one, or put a stage between them"
            )
        elif step.target in (REVIEW, DEAD_LETTERS):
            yield f"{step.source.name} -> {step.target.value} is no flow: return an outcome, or use on_failure"
    for route in pipeline.failures:
        if route.target is RESULTS:
            yield "a failure cannot go to results: send it to a stage, REVIEW or DEAD_LETTERS"
        if isinstance(route.target, Stage):
            sources = pipeline.stages if route.source is None else (route.source,)
            yield from _input_mismatches(sources, route.target)


def _input_mismatches(sources: Iterable[Stage[Any, Any]], target: Stage[Any, Any]) -> Iterator[str]:
    for source in sources:
        if not set(source.takes) <= set(target.takes):
            yield (
                f"on failure {source.name} hands on its input {_names(source.takes)}, but {target.name} takes"
                f" {_names(target.takes)}"
            )


def _lost_stages(pipeline: Pipeline) -> Iterator[str]:
    reached, waiting = set(), [pipeline.first]
    while waiting:
        stage = waiting.pop()
        if stage.name not in reached:
            reached.add(stage.name)
            waiting += _next(pipeline, stage)
    for stage in pipeline.stages:
        if stage.name not in reached:
            yield f"{stage.name} is never reached from {pipeline.first.name}: add an edge to it, or take it out"
        if not pipeline.edges_from(stage):
            yield f"{stage.name} is an orphan end: nothing takes its {_names(stage.gives)}; add an edge to RESULTS"


def _missing_failure_routes(pipeline: Pipeline) -> Iterator[str]:
    for stage in pipeline.stages:
        if not any(r.failure is None and r.source in (None, stage) for r in pipeline.failures):
            yield f"failures of {stage.name} have no route: add on_failure({stage.name.upper()}, ANY, DEAD_LETTERS)"
    routes = [(route.source, route.failure) for route in pipeline.failures]
    for source, failure in dict.fromkeys(route for route in routes if routes.count(route) > 1):
        yield f"{failure or 'any failure'} of {source.name if source else 'every stage'} has two routes: keep one"


def _names(types: tuple[type[Any], ...]) -> str:
    return " or ".join(kind.__name__ for kind in types)
