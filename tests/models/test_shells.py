"""Answers that only look like one, and the evidence on those that are."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from services.analyze.answers import Answer, GenericFields, InvoiceFields, Summarized
from shared.core.failures import Failure
from shared.core.marks import Mark
from shared.models.answers import check, json_schema
from shared.models.judging.evidence import evidence
from shared.models.judging.shells import is_empty, repeats_schema
from tests.models.world import INVOICE

FIELDS = [name for name in InvoiceFields.model_fields if name != "confidence"]
RIGHT = {
    "invoice_number": "INV-2041",
    "invoice_date": "2026-03-02",
    "due_date": "",
    "vendor": "Millbrook Paper Ltd",
    "customer": "Harbour Books",
    "total": "240.00",
    "currency": "EUR",
    "confidence": 0.9,
}


@pytest.mark.parametrize(
    "value",
    ["", " ", "N/A", "n/a", "null", "None", "string", "unknown", "Not found", "-", "…", "<vendor>", "keine Angabe"],
)
def test_what_stands_for_no_value_is_none(value: str) -> None:
    assert is_empty(value)
    assert is_empty([value, {"a": value, "b": None}])


@pytest.mark.parametrize("value", ["€", "$", "0", "A", "No", "Unknown Pleasures Ltd", 0, False, ["x"], "N/A until May"])
def test_what_says_something_is_a_value(value: Any) -> None:
    assert not is_empty(value)


def test_a_part_of_an_invoice_may_well_hold_nothing_of_what_is_asked() -> None:
    empty = json.dumps(dict.fromkeys(FIELDS, "") | {"confidence": 0.9})
    checked = check(empty, InvoiceFields, INVOICE, whole=False)
    assert (checked.failure, checked.fields) == (None, ())


@pytest.mark.parametrize("value", ["", None, "N/A", "string", "unknown"])
def test_an_invoice_with_nothing_in_it_is_a_shell(value: Any) -> None:
    checked = check(json.dumps(dict.fromkeys(FIELDS, value) | {"confidence": 0.9}), InvoiceFields, INVOICE)
    assert (checked.failure, checked.quality, checked.fields) == (
        Failure.LOW_QUALITY,
        0.0,
        ("invoice_number", "vendor", "total"),
    )


def test_nothing_is_an_answer_where_nothing_is_needed() -> None:
    assert check('{"answer": "", "confidence": 0.9}', Answer, INVOICE).failure is None
    assert check('{"fields": [], "confidence": 0.9}', GenericFields, INVOICE).failure is None
    assert check("{}", dict[str, Any], INVOICE).failure is None


@pytest.mark.parametrize(
    "content",
    [
        json_schema(InvoiceFields),
        {name: part.get("description") for name, part in json_schema(InvoiceFields)["properties"].items()},
        dict(json_schema(InvoiceFields)["properties"]),
        {**dict.fromkeys(FIELDS, "Number of the invoice."), "confidence": 0.5},
    ],
)
def test_a_schema_given_back_is_no_answer(content: Any) -> None:
    assert repeats_schema(content, json_schema(InvoiceFields))
    assert check(json.dumps(content), InvoiceFields, INVOICE).failure is Failure.SCHEMA_VIOLATION


def test_an_answer_that_happens_to_hold_a_word_of_the_schema_is_one() -> None:
    assert not repeats_schema(RIGHT | {"vendor": "Date of issue."}, json_schema(InvoiceFields))
    assert not repeats_schema({"summary": "A summary of the invoice."}, json_schema(Summarized))


def test_a_value_that_stands_nowhere_in_the_document_is_named() -> None:
    checked = check(json.dumps(RIGHT | {"vendor": "Acme"}), InvoiceFields, INVOICE)
    assert (checked.failure, checked.fields) == (Failure.UNGROUNDED, ("vendor",))
    assert checked.value is not None
    good = check(json.dumps(RIGHT), InvoiceFields, INVOICE)
    assert good.failure is None
    assert good.quality > checked.quality


def test_only_what_is_marked_as_a_quotation_must_stand_there() -> None:
    said = {"fields": [{"name": "po", "value": "INV-2041"}, {"name": "x", "value": "Acme"}], "confidence": 1}
    assert check(json.dumps(said), GenericFields, INVOICE).fields == ("fields.1.value",)
    assert check('{"summary": "Paper was bought.", "confidence": 1}', Summarized, INVOICE).failure is None


class Plain(BaseModel):
    """An answer of somebody who marks nothing."""

    name: str
    note: str = ""
    tags: list[str]
    confidence: float


class Listing(BaseModel):
    """An answer with several values in one text."""

    skills: Annotated[str, Mark.LISTED]


def test_where_nothing_is_marked_every_required_text_is_needed() -> None:
    seen = evidence(Plain(name="", tags=[], confidence=1), "")
    assert (seen.needed, seen.missing, seen.quoted, seen.confidence) == (1, ("name",), 0, 1.0)
    assert seen.is_shell


def test_of_several_values_each_must_stand_there() -> None:
    text = "I know Kafka and SQL"
    assert evidence(Listing(skills="SQL, Kafka"), text).invented == ()
    assert evidence(Listing(skills="SQL, Cobol"), text).invented == ("skills",)


def test_of_what_is_no_class_nothing_is_known() -> None:
    assert evidence({"a": ""}, "text").needed == 0
