"""What becomes of a record: a pure function from its outcome to everything that is written about it.

    Emit        the events, each along every edge that takes it
    Retry       a retry topic while attempts are left, then as DeadLetter
    DeadLetter  where the pipeline routes the failure class: another stage, or the dead letters
    Review      a person, unless the pipeline routes the class to the dead letters
    Park        nothing is written; the record is held and tried again, no attempt spent; or, where too many are held,
                it goes to the parked topic, and comes back from there
    Cancelled   the results topic, whatever was to come of it

The pipeline's table of remedies has the first word: a class that it changes is treated as it says.

All that one record causes is written in one transaction with its progress, so each line happens once or not at all.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, assert_never

from shared.core import topics
from shared.core.cancellation import CANCELLED
from shared.core.delivery import Delivery
from shared.core.event import Event, derived_id
from shared.core.failures import Failure
from shared.core.graph import REVIEW, Edge, Pipeline
from shared.core.headers import ARRIVED_AT, Headers, History, failed_again, foreign, kept, parked
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.stage import Stage
from shared.core.trace import onward
from shared.core.tries import Try


@dataclass(frozen=True, slots=True)
class Write:
    """One record to be written."""

    topic: str
    """Where to."""
    key: bytes | None
    """Its key: the document id."""
    value: Event | bytes | None
    """An event to encode, or the original bytes untouched."""
    headers: Headers = ()
    """The sender's own and ours."""
    partition: int | None = None
    """A fixed partition, or by key."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The decision about one record."""

    writes: tuple[Write, ...] = ()
    """Everything to write, in order."""
    hold: float | None = None
    """Seconds to hold the record before it is tried again; None: it is done."""
    dependency: str = ""
    """What a held record waits for."""
    comes_back: bool = False
    """The record itself was written to a topic from which this stage will take it up again."""
    failure: Failure | None = None
    """How it failed, if it did."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a decision is made: a stage of a pipeline."""

    pipeline: Pipeline
    """The graph with its routes."""
    stage: Stage[Any, Any]
    """The stage that handled the record."""


def settle(place: Place, delivery: Delivery, event: Event | None, outcome: Outcome[Any], now: datetime) -> Settled:
    """Decide; `event` is the decoded input, None where it could not be decoded."""
    match place.pipeline.remedies.applied(outcome):
        case Emit() as outcome:
            return _emit(place, delivery, event, outcome, now)
        case Retry() as outcome:
            return _retry(place, delivery, outcome, now)
        case DeadLetter() as outcome:
            return _route(place, delivery, _history(place, delivery, outcome, now))
        case Review() as outcome:
            return _review(place, delivery, event, outcome, now)
        case Park(dependency, after=after):
            return Settled(hold=after, dependency=dependency)
        case Cancelled(end):
            # Under a name of its own: what the stage would have emitted has another id.
            told = identified(end, parent_id(delivery, event), f"{place.stage.name}/{CANCELLED}", 0)
            return Settled((Write(topics.results(place.pipeline.name), delivery.key, told),))
        case _ as never:
            assert_never(never)


def targets(pipeline: Pipeline, stage: Stage[Any, Any], event: Event) -> tuple[str, ...]:
    """Topics an event that the stage emitted goes to; none where no edge takes it."""
    return tuple(pipeline.leads_to(step) for step in pipeline.edges_from(stage) if _takes(step, event))


def identified(event: Any, parent: str, stage: str, index: int) -> Any:
    """The event with its derived id, where its type has one."""
    if any(entry.name == "event_id" for entry in fields(event)):
        return replace(event, event_id=derived_id(parent, stage, index))
    return event


def _takes(step: Edge, event: Event) -> bool:
    if isinstance(step.target, Stage) and type(event) not in step.target.takes:
        return False
    return step.condition is None or step.condition(event)


def _emit(place: Place, delivery: Delivery, event: Event | None, outcome: Emit[Any], now: datetime) -> Settled:
    parent, along = parent_id(delivery, event), onward(delivery)
    writes = []
    for index, emitted in enumerate(outcome.events):
        known = identified(emitted, parent, place.stage.name, index)
        goals = targets(place.pipeline, place.stage, known)
        if not goals:
            message = f"no edge from {place.stage.name} takes this {type(known).__name__}: add one to the pipeline"
            return _route(place, delivery, _history(place, delivery, DeadLetter(Failure.INTERNAL, message), now))
        writes += [Write(goal, known.document_id.encode(), known, along) for goal in goals]
    return Settled(tuple(writes))


def parent_id(delivery: Delivery, event: Event | None) -> str:
    """Root of the ids of what a record causes: its own id, else the place where it first stood."""
    return getattr(event, "event_id", "") or str(delivery.origin)


def _retry(place: Place, delivery: Delivery, outcome: Retry, now: datetime) -> Settled:
    history = _history(place, delivery, outcome, now)
    tier = place.pipeline.retry_policy(place.stage).tier(delivery.attempt, outcome.after)
    if tier is None:
        return _route(place, delivery, history)
    # The same partition, not the same key: a sender with another partitioner may have put the key elsewhere than ours
    # would, and a partition and its retry partitions must stay with one process.
    topic = place.pipeline.topics(place.stage).retries[tier - 1]
    write = _original(delivery, topic, history, delivery.position.partition)
    return Settled((write,), failure=outcome.failure, comes_back=True)


def park(place: Place, delivery: Delivery, dependency: str) -> Settled:
    """A record that waits and finds no room to do so here: it goes to the parked topic, attempts unchanged."""
    topic = place.pipeline.topics(place.stage).parked
    headers = kept(delivery.headers) + parked(delivery.origin, delivery.history, dependency) + _arrived(delivery)
    write = Write(topic, delivery.key, delivery.value, headers, delivery.position.partition)
    return Settled((write,), comes_back=True)


def _review(place: Place, delivery: Delivery, event: Event | None, outcome: Review[Any], now: datetime) -> Settled:
    failure = outcome.failure or Failure.LOW_CONFIDENCE
    history = _history(place, delivery, DeadLetter(failure, outcome.reason), now)
    if outcome.failure and place.pipeline.route_failure(place.stage, outcome.failure) is not REVIEW:
        return _route(place, delivery, history)
    proposal = identified(outcome.proposal, parent_id(delivery, event), place.stage.name, 0)
    topic = topics.review(place.pipeline.name)
    headers = kept(delivery.headers) + history.to_headers()
    return Settled((Write(topic, delivery.key, proposal, headers),), failure=outcome.failure)


def _route(place: Place, delivery: Delivery, history: History) -> Settled:
    target = place.pipeline.route_failure(place.stage, history.failure)
    if isinstance(target, Stage):
        along = foreign(delivery.headers) + onward(delivery)
        write = Write(place.pipeline.topics(target).input, delivery.key, delivery.value, along)
    else:
        # A failure that is routed to a person without a proposal has nothing to approve: the dead letters keep it.
        write = _original(delivery, place.pipeline.topics(place.stage).dead, history, None)
    return Settled((write,), failure=history.failure)


def _original(delivery: Delivery, topic: str, history: History, partition: int | None) -> Write:
    """The record as it came, with what happened beside it."""
    headers = kept(delivery.headers) + history.to_headers() + _arrived(delivery)
    return Write(topic, delivery.key, delivery.value, headers, partition)


def _arrived(delivery: Delivery) -> Headers:
    """What tells a later attempt since when the record is at this stage."""
    return ((ARRIVED_AT, delivery.arrived_at.isoformat(timespec="milliseconds").encode()),)


def _history(place: Place, delivery: Delivery, failed: Retry | DeadLetter, now: datetime) -> History:
    failure, message, number = failed.failure, failed.message, delivery.attempt
    tried = (Try(number, now, failure.value, message, failed.calls),)
    current = History(place.stage.name, failure, message, number, now, now, delivery.origin, tried, failed.causes)
    return failed_again(delivery.history, current)
