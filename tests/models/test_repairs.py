"""The next question after a bad answer: bounded, naming only what failed, and never the bad answer itself."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.models.answers import check, cut_off, joined
from shared.models.judging.checked import Checked
from shared.models.judging.repairs import ONLY_JSON, repaired, resampled, structured

PROMPT = Prompt(name="p@1", system="", user="question", task="qa")
FAILURES = sorted({Failure.MALFORMED_JSON, Failure.SCHEMA_VIOLATION, Failure.TRUNCATED, Failure.UNGROUNDED})


class Part(BaseModel):
    """A part."""

    title: str


class Whole(BaseModel):
    """An answer."""

    name: str
    town: str = ""
    parts: list[Part] = []


@settings(deadline=None)
@given(st.sampled_from(FAILURES), st.integers(1, 500))
def test_a_repair_has_a_bounded_size_and_keeps_the_question(failure: Failure, wrong: int) -> None:
    worst = json.dumps({"x" * wrong: 1, "parts": [{"title": 1}] * wrong})
    checked: Checked[Whole] = check(worst, Whole)
    assert checked.failure is Failure.SCHEMA_VIOLATION
    known = {f"{'k' * wrong}{number}": 1 for number in range(wrong)}
    for again in (
        repaired(PROMPT, Checked(failure=failure, fields=checked.fields, partial=known)),
        structured(PROMPT, checked),
        resampled(PROMPT, wrong),
    ):
        assert again.user.startswith("question\n\n")
        assert again.user.endswith(ONLY_JSON)
        assert len(again.user) < 1_400


def test_a_repair_names_the_failing_fields_and_never_what_they_said() -> None:
    checked = check('{"name": 7, "town": "Bern", "parts": []}', Whole)
    again = repaired(PROMPT, checked)
    assert "these fields broke the schema: name." in again.user
    assert "Bern" not in again.user


def test_an_answer_that_was_cut_off_is_gone_on_with_and_only_the_rest_is_asked_for() -> None:
    first = check('{"name": "Ada", "town": "Bern", "parts": [{"title": "A"}, {"tit', Whole)
    assert (first.failure, first.value, dict(first.partial)) == (
        Failure.TRUNCATED,
        None,
        {"name": "Ada", "town": "Bern"},
    )
    assert "Leave these fields empty, for they are known: name, town." in repaired(PROMPT, first).user
    rest = check('{"name": "", "town": "", "parts": [{"title": "A"}]}', Whole)
    whole = joined(first, rest, Whole, PROMPT)
    assert whole.value == Whole(name="Ada", town="Bern", parts=[Part(title="A")])
    assert whole.failure is None


def test_what_the_second_answer_says_itself_outweighs_what_was_kept() -> None:
    first = check('{"name": "Ada", "town": "Bern", "parts": [', Whole)
    second = check('{"name": "Ada Lovelace", "town": "", "parts": []}', Whole)
    assert joined(first, second, Whole, PROMPT).value == Whole(name="Ada Lovelace", town="Bern")


def test_nothing_is_made_of_two_halves_that_give_no_whole() -> None:
    first = check('{"name": 7, "town": "Bern", "parts": [', Whole)
    second = check('{"name": "", "town": "", "parts": [{"title": "A"}]}', Whole)
    assert joined(first, second, Whole, PROMPT) == second
    refused: Checked[Whole] = Checked(failure=Failure.REFUSAL)
    assert joined(first, refused, Whole, PROMPT) == refused


def test_where_a_provider_closed_what_was_cut_off_its_last_field_is_not_believed() -> None:
    checked = cut_off('{"name": "Ada", "town": "Be"}', Whole)
    assert (checked.failure, dict(checked.partial), checked.fields) == (
        Failure.TRUNCATED,
        {"name": "Ada"},
        ("town", "parts"),
    )
    assert checked.message == "the answer was cut off; complete: name; missing: town, parts"
