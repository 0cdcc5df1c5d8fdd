"""The validate handler alone: what goes on, what goes before a person, and with which class."""

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.events import Choice, DocumentValidated
from services.validate.settings import ValidateSettings
from services.validate.stage import validate
from shared.core.failures import Failure
from shared.core.outcome import Emit, Review
from tests.models.world import INVOICE
from tests.unit.documents import analysis, analyzed, classified

GOOD = {
    "invoice_number": "INV-2041",
    "invoice_date": "2026-03-02",
    "due_date": "2026-04-01",
    "vendor": "Millbrook Paper Ltd",
    "customer": "Harbour Books",
    "total": "240.00",
    "currency": "EUR",
}


async def run(fields: dict[str, str], *, text: str = INVOICE, kind: str = "invoice", **said: Any) -> Any:
    tasks = said.pop("tasks", ())
    settings = said.pop("settings", ValidateSettings())
    document = analyzed(classified(text, kind, tasks), analysis(fields, **said))
    return await validate.call(document, SimpleNamespace(resource=lambda kind: settings))


async def test_a_good_invoice_goes_on_with_a_span_for_every_field() -> None:
    outcome = await run(GOOD)
    assert isinstance(outcome, Emit)
    (event,) = outcome.events
    assert isinstance(event, DocumentValidated)
    assert (event.validation.quality, event.validation.problems) == (1.0, ())
    assert {name: INVOICE[s.start : s.end] for name, s in event.validation.spans.items()} == GOOD


async def test_an_invented_value_goes_before_a_person_with_what_approval_emits() -> None:
    outcome = await run({**GOOD, "vendor": "Invented Ltd"})
    assert isinstance(outcome, Review)
    assert outcome.failure is Failure.UNGROUNDED
    assert outcome.reason == "vendor 'Invented Ltd' does not occur in the text"
    assert outcome.proposal.analysis.fields["vendor"] == "Invented Ltd"
    assert "vendor" not in outcome.proposal.validation.spans


async def test_too_many_failed_checks_go_before_a_person() -> None:
    outcome = await run({"invoice_number": "INV-2041"})
    assert isinstance(outcome, Review)
    assert outcome.failure is Failure.LOW_QUALITY
    assert outcome.reason == "quality 0.60 is below 0.7: vendor is missing; total is missing"


async def test_nothing_found_at_all_is_low_quality() -> None:
    outcome = await run({})
    assert outcome.failure is Failure.LOW_QUALITY
    assert outcome.proposal.validation.quality == 0.0


@pytest.mark.parametrize(("confidence", "asks"), [(0.79, True), (0.8, False)])
async def test_a_model_that_doubts_itself_goes_before_a_person(confidence: float, asks: bool) -> None:
    outcome = await run(GOOD, confidence=confidence)
    assert isinstance(outcome, Review) is asks
    assert not asks or outcome.failure is Failure.LOW_CONFIDENCE


async def test_the_gates_are_settings() -> None:
    open_gates = ValidateSettings(quality_below=0, confidence_below=0)
    assert isinstance(await run({}, confidence=0.0, settings=open_gates), Emit)


@pytest.mark.parametrize(
    ("kind", "model", "asks"), [("invoice", "large", True), ("contract", "large", False), ("invoice", "small", False)]
)
async def test_the_gates_differ_by_type_and_by_the_model_that_answered(kind: str, model: str, asks: bool) -> None:
    open_gate = {"quality_below": 0.0, "confidence_below": 0.4}
    settings = ValidateSettings(types={"contract": open_gate}, models={"small": open_gate})
    choice = Choice(task="extraction", decision="general", chain="analyst", models=(model,), score=0.6)
    outcome = await run({"vendor": "Harbour Books"}, kind=kind, confidence=0.5, choices=(choice,), settings=settings)
    assert isinstance(outcome, Review) is asks


async def test_only_what_was_asked_for_is_checked() -> None:
    outcome = await run({}, tasks=("summarization", "qa:Who?"), summary="S.", answers={"Who?": "Ada"})
    assert isinstance(outcome, Emit)
    assert outcome.events[0].validation.quality == 1.0
    missing = await run({}, tasks=("summarization", "qa:Who?"))
    assert missing.proposal.validation.problems == ("the summary is missing", "the question 'Who?' has no answer")
    assert isinstance(await run({}, tasks=("classification",)), Emit)


async def test_the_items_of_a_list_need_not_stand_together() -> None:
    text = "Ada Byron\nSkills:\n- Kafka\n- Python\n"
    grounded = await run({"name": "Ada Byron", "skills": "Python, Kafka"}, text=text, kind="resume")
    assert isinstance(grounded, Emit)
    span = grounded.events[0].validation.spans["skills"]
    assert text[span.start : span.end] == "Kafka\n- Python"
    invented = await run({"name": "Ada Byron", "skills": "Python, COBOL"}, text=text, kind="resume")
    assert invented.failure is Failure.UNGROUNDED


async def test_a_result_that_is_not_whole_goes_before_a_person_with_what_is_missing() -> None:
    gap = "extraction, part 2 of 3, page 4: refusal: the model declined"
    outcome = await run(GOOD, missing=(gap,))
    assert isinstance(outcome, Review)
    assert (outcome.failure, outcome.reason) == (Failure.LOW_QUALITY, f"the result is not whole: {gap}")
    assert outcome.proposal.analysis.missing == (gap,)


async def test_what_the_supervisor_leaves_to_a_person_goes_there_whatever_the_gate_says() -> None:
    doubted = Choice(task="extraction", decision="person", chain="analyst", score=0.45)
    settings = ValidateSettings(confidence_below=0)
    outcome = await run(GOOD, confidence=0.45, choices=(doubted,), settings=settings)
    assert isinstance(outcome, Review)
    assert (outcome.failure, outcome.reason) == (
        Failure.LOW_CONFIDENCE,
        "no model was sure enough: extraction 0.45",
    )
