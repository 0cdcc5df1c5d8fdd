"""A second pipeline holds by itself, and shares no name with the first on the same Kafka."""

from pathlib import Path

import pytest

from schemas.generate import generate
from shared.core import topics
from shared.core.graph import Pipeline
from shared.core.stage import Style
from shared.kafka.admin import plan
from shared.pipelines.documents import DOCUMENTS
from tests.pipeline.tiny.pipeline import CLOSE, TICKETS, TRIAGE, close, triage

FOLDER = Path("tests/pipeline/tiny")
ROOT = Path(__file__).resolve().parents[2]


def test_its_classes_are_what_the_generator_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    written = (FOLDER / "events.py").read_text("utf-8")
    assert written == generate(FOLDER, f"{FOLDER}/events.py"), "run `python -m schemas.generate` on the folder"


def test_it_is_two_stages_in_their_order() -> None:
    assert TICKETS.stages == (TRIAGE, CLOSE)
    assert TICKETS.first is TRIAGE


def test_a_plain_handler_is_cheap_and_a_coroutine_slow() -> None:
    assert (triage.style, close.style) == (Style.CHEAP, Style.SLOW)


def test_the_first_stage_reads_the_ingest_topic_of_its_own_pipeline() -> None:
    assert TICKETS.topics(TRIAGE).consumed == (
        "tickets.ingest",
        "tickets.triage.retry.1s",
        "tickets.triage.retry.2s",
        "tickets.triage.parked",
    )


def test_two_pipelines_share_only_the_topic_of_schemas() -> None:
    assert names(TICKETS) & names(DOCUMENTS) == {topics.SCHEMAS}


def test_two_pipelines_share_no_group_and_no_transactional_id() -> None:
    def identities(pipeline: Pipeline) -> set[str]:
        return {topics.group(pipeline.name, s.name) for s in pipeline.stages} | {
            topics.transactional_id(pipeline.name, s.name, "1") for s in pipeline.stages
        }

    assert not identities(TICKETS) & identities(DOCUMENTS)


def names(pipeline: Pipeline) -> set[str]:
    return {topic.name for topic in plan(pipeline)}
