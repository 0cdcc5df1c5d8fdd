"""The names of topics, groups and transactional ids, made in one place from the pipeline's and the stage's names.

documents.ingest              input of the first stage       documents.dlq.resolved   dead letters that were acted on
documents.<stage>             input of any other             documents.review         what waits for a person
documents.<stage>.retry.<5s>  waiting to be tried again      documents.results        how each document ended
documents.<stage>.parked      waiting for a dependency       penstock.schemas         every schema in use
documents.<stage>.dlq         failed for good                documents.dlq.receipts   replays, planned and done
documents.cancelled           operators' words: these end
"""

from dataclasses import dataclass
from functools import cache

OWN = "penstock"
"""First word of the topics that belong to no pipeline."""
SCHEMAS = f"{OWN}.schemas"
"""Compacted: fingerprint to schema, shared by all pipelines of a Kafka."""

INGEST, RESULTS, REVIEW = "ingest", "results", "review"
"""The pipeline's doors: where documents come in, where their ends are told, where they wait for a person."""


@dataclass(frozen=True, slots=True)
class StageTopics:
    """Every topic that one stage reads or writes of its own."""

    input: str
    """What it consumes."""
    retries: tuple[str, ...]
    """One topic a delay tier, shortest first."""
    parked: str
    """What waits for a dependency."""
    dead: str
    """What failed for good."""

    @property
    def consumed(self) -> tuple[str, ...]:
        """What its consumer group subscribes to."""
        return (self.input, *self.retries, self.parked)


def tier_name(seconds: float) -> str:
    """A delay as people write it, such as 5s, 1m, 2h; a tier is called by its delay, which therefore never changes."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".").replace(".", "_") + "s"


@cache
def stage_topics(pipeline: str, stage: str, *, first: bool, tiers: tuple[float, ...]) -> StageTopics:
    """The topics of one stage; the first stage reads the ingest topic. `tiers` are delays in seconds."""
    own = f"{pipeline}.{stage}"
    return StageTopics(
        input=f"{pipeline}.{INGEST}" if first else own,
        retries=tuple(f"{own}.retry.{tier_name(tier)}" for tier in tiers),
        parked=f"{own}.parked",
        dead=f"{own}.dlq",
    )


def is_door(topic: str) -> bool:
    """Whether it is an ingest topic: anybody who hands documents in writes there, and nobody else to any other."""
    return topic.endswith(f".{INGEST}")


def results(pipeline: str) -> str:
    """Where the pipeline tells how each document ended."""
    return f"{pipeline}.{RESULTS}"


def review(pipeline: str) -> str:
    """Where documents wait for a person."""
    return f"{pipeline}.{REVIEW}"


def resolved(pipeline: str) -> str:
    """Compacted: dead letter to what was done about it."""
    return f"{pipeline}.dlq.resolved"


def receipts(pipeline: str) -> str:
    """Compacted: replays of dead letters, planned, under way and done."""
    return f"{pipeline}.dlq.receipts"


def cancelled(pipeline: str) -> str:
    """Compacted: document or batch to the word that it is to end."""
    return f"{pipeline}.cancelled"


def group(pipeline: str, service: str) -> str:
    """Consumer group of a service."""
    return f"{pipeline}.{service}"


def transactional_id(pipeline: str, service: str, instance: str) -> str:
    """Producer identity of one process: two processes must never fence each other by accident."""
    return f"{pipeline}.{service}.{instance}"
