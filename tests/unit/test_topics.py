"""The names outsiders type."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import topics


def test_the_topics_of_a_stage_are_those_of_the_design() -> None:
    own = topics.stage_topics("documents", "analyze", first=False, tiers=(5.0, 60.0))
    assert own.input == "documents.analyze"
    assert own.retries == ("documents.analyze.retry.5s", "documents.analyze.retry.1m")
    assert own.parked == "documents.analyze.parked"
    assert own.dead == "documents.analyze.dlq"
    assert own.consumed == (own.input, *own.retries, own.parked)


def test_the_first_stage_reads_the_ingest_topic_and_has_none_of_its_own_name() -> None:
    assert topics.stage_topics("documents", "extract", first=True, tiers=()).input == "documents.ingest"


def test_the_doors_of_a_pipeline_have_its_name() -> None:
    assert topics.results("documents") == "documents.results"
    assert topics.review("documents") == "documents.review"
    assert topics.resolved("documents") == "documents.dlq.resolved"
    assert topics.group("documents", "store") == "documents.store"
    assert topics.transactional_id("documents", "store", "7") == "documents.store.7"


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(5, "5s"), (60, "1m"), (90, "90s"), (600, "10m"), (3600, "1h"), (0.5, "0_5s"), (1_234_567, "1234567s")],
)
def test_a_tier_is_called_by_its_delay(seconds: float, name: str) -> None:
    assert topics.tier_name(seconds) == name


@given(st.floats(0.001, 1e9))
def test_every_tier_gives_a_name_that_kafka_takes(seconds: float) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", topics.tier_name(seconds))
