"""What a model wrote becomes a checked value or a failure class, whatever it wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from shared.core.failures import Failure
from shared.models.answers import check, json_schema
from shared.models.judging.checked import DOUBTED


class Inner(BaseModel):
    """A part of an answer."""

    title: str = "none"


class Sample(BaseModel):
    """An answer."""

    name: str
    parts: list[Inner]
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


GOOD = {"name": "Ada", "parts": [], "confidence": 0.5}


def test_the_schema_closes_every_object_as_strict_modes_demand() -> None:
    schema = json_schema(Sample)
    assert schema["required"] == ["name", "parts", "confidence"]
    assert schema["additionalProperties"] is False
    inner = schema["$defs"]["Inner"]
    assert inner == {
        "description": "A part of an answer.",
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("wrapping", ["{}", "```json\n{}\n```", "Here it is:\n{}\nI hope that helps.", "\ufeff {} "])
def test_fences_and_prose_around_the_object_do_no_harm(wrapping: str) -> None:
    assert check(wrapping.replace("{}", json.dumps(GOOD)), Sample).value == Sample(name="Ada", parts=[], confidence=0.5)


@pytest.mark.parametrize(
    ("text", "failure", "fields"),
    [
        ("", "malformed_json", ()),
        ("[1, 2]", "malformed_json", ()),
        ('{"name": "Ada", ', "truncated", ("parts", "confidence")),
        ('{"name": "Ada" "parts": [1, ', "malformed_json", ()),
        ('{"name": "Ada" "parts": []}', "malformed_json", ()),
        (json.dumps(GOOD).replace("0.5", "NaN"), "malformed_json", ()),
        ('{"name":' + "[" * 100_000 + "}", "malformed_json", ()),
        (json.dumps({**GOOD, "confidence": 7}), "schema_violation", ("confidence",)),
        (json.dumps({"parts": [{"title": 1}], "confidence": 0}), "schema_violation", ("name", "parts.0.title")),
        ("I'm sorry, but I can't help with that.", "refusal", ()),
        (json.dumps({**GOOD, "name": "I cannot process this document."}), "refusal", ()),
    ],
)
def test_what_is_no_answer_has_a_class_and_names_its_fields(text: str, failure: str, fields: tuple[str, ...]) -> None:
    checked = check(text, Sample)
    assert (checked.failure, checked.fields) == (Failure(failure), fields)
    assert len(checked.message) < 1_000


def test_a_letter_that_quotes_a_refusal_is_not_one() -> None:
    text = json.dumps({"name": "Ada", "parts": [{"title": "I'm sorry, but I can't help you."}], "confidence": 1})
    assert check(text, Sample, "He wrote: I’m sorry,\nbut I can’t help you. Ada").failure is None
    assert check(text, Sample, "He wrote nothing. Ada").failure is Failure.REFUSAL


@given(st.text(max_size=300) | st.text(alphabet='{}[]":,0.1aN\\', max_size=80))
def test_any_text_at_all_is_a_value_or_a_failure(text: str) -> None:
    checked = check(text, Sample)
    assert (checked.value is None) is (checked.failure not in {None, *DOUBTED})
