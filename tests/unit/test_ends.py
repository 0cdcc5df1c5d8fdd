from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events import (
    Analysis,
    Classification,
    DocumentAnalyzed,
    DocumentClassified,
    DocumentSubmitted,
    ModelCall,
    Reference,
    Source,
    Submission,
    TextExtracted,
)
from shared.codec.avro import AvroCodec
from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import Condition
from shared.core.atlas.finding import Finding
from shared.core.context import Call
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.core.stage import Stage
from shared.core.tries import Try
from shared.kafka.dead_letters import Letter
from shared.kafka.selection import Selection
from shared.pipelines.documents import ANALYZE, CLASSIFY, DOCUMENTS, EXTRACT, STORE, VALIDATE
from shared.pipelines.ends import command_of, doubted, failed, got_through, known_at, options_of, through

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODEC = AvroCodec({kind: None for stage in DOCUMENTS.stages for kind in (*stage.takes, *stage.gives)}, ())
SUBMISSION = Submission(
    filename="a.pdf", content_type="application/pdf", tasks=(), metadata={"language": "de"}, submitted_at=NOW
)
SOURCE = Source(media_type="image/png", sha256="0" * 64, size=2_000_000, pages=41, method="ocr", warnings=())
EXTRACTED = TextExtracted(
    document_id="d1", tenant="acme", version=1, batch_id="", submission=SUBMISSION, source=SOURCE, text="x"
)
CLASSIFIED = DocumentClassified(
    **{name: getattr(EXTRACTED, name) for name in EXTRACTED.__slots__},
    classification=Classification(document_type="invoice", track="technical", confidence=0.9, reason="a clue"),
)
USED: dict[str, Any] = {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.0, "milliseconds": 1}
CALL = ModelCall(task="extraction", provider="sim", model="large", prompt="extraction@2", outcome="refusal", **USED)
ANALYZED = DocumentAnalyzed(
    **{name: getattr(CLASSIFIED, name) for name in CLASSIFIED.__slots__},
    analysis=Analysis(
        fields={}, summary="", answers={}, confidence=0.9, calls=(CALL, replace(CALL, model="small", outcome="ok"))
    ),
)
SUBMITTED = DocumentSubmitted(
    document_id="d1", tenant="acme", content_type="application/pdf", content=b"x" * 11_000, metadata={"language": "de"}
)


def delivery(event: Any, topic: str = "t", headers: Any = ()) -> Delivery:
    return Delivery(Position(topic, 0, 7), b"d1", CODEC.encode(event), headers, NOW)


def history(stage: Stage[Any, Any], failure: Failure = Failure.REFUSAL, model: str = "large") -> History:
    calls = (Call("extraction", "sim", model, "extraction@2", 1, 1, 0.0, 1, "refusal"),)
    tried = (Try(1, NOW, failure.value, "no", calls),)
    return History(stage.name, failure, "no", 1, NOW, NOW + timedelta(seconds=3), Position("t", 0, 1), tried)


def test_a_document_that_fails_and_one_that_gets_through_tell_the_same_of_themselves() -> None:
    for stage, taken, given in (
        (EXTRACT, replace(SUBMITTED, content=Reference(uri="file:///x", sha256="0" * 64, size=2_000_000)), EXTRACTED),
        (CLASSIFY, EXTRACTED, CLASSIFIED),
        (ANALYZE, CLASSIFIED, ANALYZED),
    ):
        bad, good = failed(stage, taken, delivery(taken), history(stage)), through(stage, given, delivery(given))
        assert (bad.failure, good.failure) == ("refusal", "")
        assert replace(bad, failure="", at=good.at) == good


def test_only_what_is_known_of_everybody_at_the_stage_is_told() -> None:
    extract = through(EXTRACT, EXTRACTED, delivery(EXTRACTED))
    assert extract == Ended(
        "d1", "extract", "", NOW.timestamp(), "acme", media_type="application/pdf", language="de", size=2_000_000
    )
    classify = through(CLASSIFY, CLASSIFIED, delivery(CLASSIFIED))
    assert (classify.document_type, classify.pages, classify.method, classify.model) == ("", 41, "ocr", "")
    analyze = through(ANALYZE, ANALYZED, delivery(ANALYZED))
    assert (analyze.document_type, analyze.model, analyze.prompt) == ("invoice", "large", "extraction@2")
    assert known_at(VALIDATE).analysed
    assert not known_at(STORE).read


def test_what_cannot_be_read_has_a_class_and_no_factors() -> None:
    one = failed(EXTRACT, None, delivery(SUBMITTED), history(EXTRACT, Failure.UNDECODABLE))
    assert one == Ended("d1", "extract", "undecodable", NOW.timestamp())


def test_the_topic_and_the_event_tell_who_got_through() -> None:
    assert got_through(DOCUMENTS, "documents.analyze", CLASSIFIED) is CLASSIFY
    assert got_through(DOCUMENTS, "documents.store", CLASSIFIED) is CLASSIFY
    assert got_through(DOCUMENTS, "documents.classify", EXTRACTED) is EXTRACT
    assert got_through(DOCUMENTS, "documents.ingest", SUBMITTED) is None


def test_what_waits_for_a_person_has_not_got_through() -> None:
    one = doubted(DOCUMENTS, CLASSIFIED, delivery(CLASSIFIED), history(CLASSIFY, Failure.LOW_CONFIDENCE))
    assert one is not None
    assert (one.stage, one.failure) == ("classify", "low_confidence")
    nowhere = replace(history(CLASSIFY), stage="nowhere")
    assert doubted(DOCUMENTS, CLASSIFIED, delivery(CLASSIFIED), nowhere) is None


CONDITIONS = (
    Condition("document_type", "invoice"),
    Condition("tenant", "acme"),
    Condition("prompt", "extraction@2"),
    Condition("model", "large"),
    Condition("method", "ocr"),
    Condition("media_type", "image/png"),
    Condition("media_type", "application/pdf"),
    Condition("language", "de"),
    Condition("language", "it's \\ one"),
    Condition("pages", over=40),
    Condition("pages", upto=40),
    Condition("size", over=100_000, upto=1_000_000),
    Condition("size", over=1_000_000),
    Condition("size", over=10_000),
)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(
    ("stage", "event"), [(EXTRACT, SUBMITTED), (CLASSIFY, EXTRACTED), (ANALYZE, CLASSIFIED), (VALIDATE, ANALYZED)]
)
@pytest.mark.parametrize("model", ["large", "small"])
def test_the_filter_chooses_a_letter_where_the_finding_speaks_of_it(
    condition: Condition, stage: Stage[Any, Any], event: Any, model: str
) -> None:
    been = history(stage, model=model)
    record = delivery(event, headers=been.to_headers())
    ended = failed(stage, event, record, been)
    if condition.factor != "language" and not getattr(ended, condition.factor):
        return  # it is not known there, so no finding can speak of it
    finding = Finding(stage.name, "refusal", (condition,), 40, 20, 0.3, 0.7, 100, 1, None)
    assert selection(options_of(DOCUMENTS, finding)).takes(Letter(stage, record), CODEC) == condition.fits(ended)


def selection(options: list[str]) -> Selection:
    """What `penstock dlq` makes of the options."""
    names = {"--class": "failure", "--type": "document_type"}
    given = dict(zip(options[::2], options[1::2], strict=True))
    return Selection(**{names.get(option, option[2:]): value for option, value in given.items()})  # type: ignore[arg-type]


def test_the_command_is_ready_for_a_shell() -> None:
    group = (Condition("tenant", "a b"), Condition("pages", over=40), Condition("method", "ocr"))
    finding = Finding("analyze", "token_limit", group, 40, 20, 0.3, 0.7, 100, 1, NOW.timestamp())
    assert command_of(DOCUMENTS, finding) == (
        "penstock dlq list --class token_limit --stage analyze --tenant 'a b' --where"
        " 'source.pages > `40` && source.method == '\"'\"'ocr'\"'\"'' --since 2026-11-24T12:00:00.000+00:00"
    )
    doubt = replace(finding, stage="validate", failure="low_quality")
    assert command_of(DOCUMENTS, doubt) == "penstock review list"
