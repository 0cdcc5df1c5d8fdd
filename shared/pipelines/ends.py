"""From the records of a pipeline to how documents ended at its stages, and from a finding back to its dead letters.

What a record tells depends on where it stands. A dead letter, and what waits for a person, hold the event that a stage
took, and say how it failed. What a stage emitted stands on the next topic, and says that it got through. Both are read
for the same factors: those that the event types on both sides of the stage can tell.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import Condition
from shared.core.atlas.finding import Finding
from shared.core.delivery import Delivery
from shared.core.failures import Failure
from shared.core.graph import REVIEW, Pipeline
from shared.core.headers import History
from shared.core.stage import Stage

NOT_THROUGH = frozenset({"rejected", "discarded", "cancelled"})
"""Ends of a document that its last stage has not brought about."""


@dataclass(frozen=True, slots=True)
class Known:
    """What can be told of a document at a stage, by what it takes and by what it gives alike."""

    read: bool
    """The file was read before: its true media type, how the text was got, its pages."""
    declared: bool
    """What the sender said of it."""
    sized: bool
    """The bytes of the file."""
    typed: bool
    """Its document type."""
    analysed: bool
    """The models that read it before."""
    asks: bool
    """The stage itself asks models."""


@cache
def known_at(stage: Stage[Any, Any]) -> Known:
    """What can be told at this stage."""
    types = [{entry.name for entry in fields(kind)} for kind in (*stage.takes, *stage.gives)]  # type: ignore[arg-type]
    taken = [{entry.name for entry in fields(kind)} for kind in stage.takes]  # type: ignore[arg-type]
    return Known(
        read=all("source" in names for names in types),
        declared=all(names & {"content_type", "submission"} for names in types),
        sized=all(names & {"content", "source"} for names in types),
        typed=all(names & {"classification", "document_type"} for names in types),
        analysed=all("analysis" in names for names in types),
        asks=bool(stage.chains) and not any("analysis" in names for names in taken),
    )


def got_through(pipeline: Pipeline, topic: str, event: Any) -> Stage[Any, Any] | None:
    """The stage that emitted what stands on this topic; None where it was none, as for what was handed in."""
    if getattr(event, "state", "") in NOT_THROUGH:
        return None
    for step in pipeline.flow:
        if type(event) in step.source.gives and pipeline.leads_to(step) == topic:
            return step.source
    return None


def through(stage: Stage[Any, Any], event: Any, delivery: Delivery) -> Ended:
    """A document that got through the stage, of what the stage emitted."""
    calls = getattr(getattr(event, "analysis", None), "calls", ())
    return Ended(event.document_id, stage.name, "", delivery.appended_at.timestamp(), **_factors(stage, event, calls))


def doubted(pipeline: Pipeline, proposal: Any, delivery: Delivery, history: History) -> Ended | None:
    """A document that waits for a person, of what the stage proposes; None where the pipeline has no such stage."""
    stage = next((stage for stage in pipeline.stages if stage.name == history.stage), None)
    if stage is None:
        return None
    at = history.first_failed_at.timestamp()
    return replace(through(stage, proposal, delivery), failure=history.failure.value, at=at)


def failed(stage: Stage[Any, Any], event: Any, delivery: Delivery, history: History) -> Ended:
    """A document that failed at the stage, of the event it took; None stands for one that cannot be read."""
    document = (delivery.key or b"").decode("utf-8", "replace")
    first = history.tries[0].calls if history.tries else ()
    factors = {} if event is None else _factors(stage, event, first)
    # Of the first attempt, as of one that got through: with the last one, which comes minutes later, the end of every
    # batch would look like the beginning of a trouble.
    return Ended(document, stage.name, history.failure.value, history.first_failed_at.timestamp(), **factors)


def _factors(stage: Stage[Any, Any], event: Any, calls: Iterable[Any]) -> dict[str, Any]:
    """What the event tells of the document; `calls`: those that the stage has made."""
    known, source = known_at(stage), getattr(event, "source", None)
    said = getattr(event, "submission", event)
    found: dict[str, Any] = {"tenant": str(getattr(event, "tenant", ""))}
    if known.sized:
        content = getattr(event, "content", b"")
        found["size"] = source.size if source else len(content) if isinstance(content, bytes) else content.size
    if known.declared:
        metadata: Mapping[str, str] = getattr(said, "metadata", {})
        found |= {"media_type": said.content_type, "language": metadata.get("language", "")}
    if known.read and source:
        found |= {"media_type": source.media_type, "method": source.method, "pages": source.pages}
    if known.typed:
        found["document_type"] = str(getattr(getattr(event, "classification", event), "document_type", ""))
    asked = event.analysis.calls if known.analysed else calls if known.asks else ()
    first = next(iter(asked), None)
    if first is not None:
        found |= {"model": first.model, "prompt": first.prompt}
    return found


def options_of(pipeline: Pipeline, finding: Finding) -> list[str]:
    """The options of `penstock dlq` that choose the dead letters of a finding, and no others.

    Of those that were tried several times around its beginning a few more: `--since` goes by the last failure.
    """
    stage = pipeline.stage(finding.stage)
    options = ["--class", finding.failure, "--stage", finding.stage]
    tests: list[str] = []
    for condition in finding.group:
        option = _option(stage, condition)
        options += option
        tests += [] if option else _tests(stage, condition)
    if tests:
        options += ["--where", " && ".join(tests)]
    if finding.since is not None:
        options += ["--since", _moment(finding.since)]
    return options


def command_of(pipeline: Pipeline, finding: Finding) -> str:
    """The command that lists them, ready for a shell."""
    failure, stage = Failure(finding.failure), pipeline.stage(finding.stage)
    if pipeline.route_failure(stage, failure) is REVIEW:
        return "penstock review list"
    return shlex.join(["penstock", "dlq", "list", *options_of(pipeline, finding)])


def _option(stage: Stage[Any, Any], condition: Condition) -> list[str]:
    names = {"document_type": "--type", "tenant": "--tenant"}
    if not known_at(stage).analysed:
        names |= {"model": "--asked", "prompt": "--prompted"}
    return [names[condition.factor], condition.value] if condition.factor in names else []


def _tests(stage: Stage[Any, Any], condition: Condition) -> list[str]:
    """A condition as JMESPath on the event that the stage takes."""
    known = known_at(stage)
    paths = {
        "media_type": "source.media_type" if known.read else "content_type",
        "method": "source.method",
        "pages": "source.pages",
        "size": "source.size" if known.read else "content.size",
        "language": "submission.metadata.language" if known.read else "metadata.language",
        "model": "analysis.calls[0].model",
        "prompt": "analysis.calls[0].prompt",
    }
    path = paths[condition.factor]
    if condition.over is None and condition.upto is None:
        value = condition.value.replace("\\", "\\\\").replace("'", "\\'")
        return [f"{path} == '{value}'"]
    low = [] if condition.over is None else [f"{path} > `{condition.over}`"]
    return low + ([] if condition.upto is None else [f"{path} <= `{condition.upto}`"])


def _moment(seconds: float) -> str:
    """A time as `--since` takes it, in the milliseconds of which dead letters are made."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
