"""A pipeline drawn: what the value says, in three forms."""

from shared.core.drawing import as_json, as_mermaid, as_text, in_order
from shared.pipelines.documents import DOCUMENTS


def test_no_stage_stands_before_one_that_feeds_it() -> None:
    names = [stage.name for stage in in_order(DOCUMENTS)]
    assert all(
        names.index(step.source.name) < names.index(step.target.name)
        for step in DOCUMENTS.flow
        if step.target in DOCUMENTS.stages
    )
    assert sorted(names) == sorted(stage.name for stage in DOCUMENTS.stages)


def test_text_shows_conditions_and_failure_routes() -> None:
    text = as_text(DOCUMENTS)
    assert "-> analyze  when technical" in text
    assert "!! low_confidence -> review" in text
    assert "every stage: any failure -> dead letters" in text


def test_mermaid_draws_failure_routes_dotted() -> None:
    lines = [line.strip() for line in as_mermaid(DOCUMENTS).splitlines()]
    assert lines[0] == "flowchart LR"
    assert "classify -->|technical| analyze" in lines
    assert "classify -. low_confidence .-> review{{documents.review}}" in lines


def test_json_names_every_topic() -> None:
    drawn = as_json(DOCUMENTS)
    extract = next(stage for stage in drawn["stages"] if stage["name"] == "extract")
    assert extract["topics"] == {
        "input": "documents.ingest",
        "retries": ["documents.extract.retry.5s", "documents.extract.retry.1m", "documents.extract.retry.10m"],
        "parked": "documents.extract.parked",
        "dead": "documents.extract.dlq",
    }
    assert {"from": "classify", "to": "analyze", "when": "technical"} in drawn["edges"]
    assert {"from": "every stage", "class": "any failure", "to": "dead letters"} in drawn["failures"]
