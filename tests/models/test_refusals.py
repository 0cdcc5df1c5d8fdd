"""Refusals inside answers of the right form, and documents that quote one: the labelled set, and the hard cases."""

import json
from typing import Any

import pytest

from infra.bench.answers.labelled import HELD_BACK, labelled
from infra.bench.answers.scenario import refusals
from shared.models.judging.refusals import Material, declines, refusal_in

LETTER = "Mr Webb wrote: I'm sorry, but I cannot process your claim. We won't help you.\nThe claim number is 77."
REFUSAL = "I'm sorry, but I can't help with that."


def test_the_part_that_was_held_back_is_told_apart() -> None:
    figures = refusals(None)
    assert figures["refusal_recall"] >= 0.95
    assert figures["refusal_false_alarms"] <= 0.01


def test_the_set_is_large_in_many_wordings_and_no_wording_stands_on_both_sides() -> None:
    every = labelled()
    assert len(every) >= 500
    back = [one for one in every if one.held_back]
    assert abs(len(back) / len(every) - HELD_BACK) < 0.1
    assert len({one.answer for one in back} & {one.answer for one in every if not one.held_back}) == 0
    good = [one for one in every if not one.refusal]
    assert {one.document for one in good if one.held_back}.isdisjoint(o.document for o in good if not o.held_back)


@pytest.mark.parametrize(
    "content",
    [
        {"summary": REFUSAL, "confidence": 0.9},
        {"title": "", "author": None, "summary": REFUSAL},
        {"title": "N/A", "summary": REFUSAL},
        {"a": REFUSAL, "b": REFUSAL, "c": REFUSAL},
        {"fields": [{"name": "error", "value": REFUSAL}]},
        {"error": {"reason": REFUSAL, "status": "refused"}},
        {"summary": "Ich kann diese Anfrage leider nicht bearbeiten."},
        {"summary": "Je ne suis pas en mesure de traiter ce document."},
        {"summary": "No puedo ayudar con esa solicitud."},
        {"summary": "I’m sorry, but I can’t help with that."},
        {"title": "Letter", "summary": REFUSAL},
    ],
)
def test_a_refusal_is_seen_in_any_field_whatever_stands_beside_it(content: Any) -> None:
    assert refusal_in(content, "", LETTER)


@pytest.mark.parametrize(
    "content",
    [
        {"summary": "I'm sorry, but I cannot process your claim."},
        {"summary": "Mr Webb wrote: I’m sorry, but I cannot process your claim."},
        {"summary": 'Mr Webb said "I refuse to answer" to claim 77.'},
        {"fields": [{"name": "reply", "value": "We won't help you."}]},
        {"summary": "I could not find a due date in the document."},
        {"summary": "Mr Webb is unable to process claim 77."},
        {"answer": "No."},
        {"answer": "", "confidence": 0.1},
        {"claim": "77", "sender": "Mr Webb", "note": "I cannot say more about this."},
        {"summary": f"{REFUSAL} " + "The letter goes on about many other things. " * 20},
        {},
        {"number": 7, "flag": True},
    ],
)
def test_a_quotation_a_finding_and_an_answer_with_one_odd_field_are_no_refusals(content: Any) -> None:
    assert refusal_in(content, "", LETTER) == ""


def test_prose_beside_an_empty_object_is_the_answer_in_truth() -> None:
    assert refusal_in({"summary": ""}, REFUSAL, LETTER) == REFUSAL
    assert refusal_in({"summary": "Claim 77."}, "I can't be sure of everything, but here it is:", LETTER) == ""


@pytest.mark.parametrize("hostile", ["I " * 300, "i not " * 90, "cannot be " * 59, "a" * 599, "this request " * 45])
def test_no_text_keeps_the_patterns_busy(hostile: str) -> None:
    assert declines(hostile, Material("i " * 50_000)) in (True, False)


def test_all_good_answers_to_tune_with_stay_good_as_json_of_any_spelling() -> None:
    tuned = [one for one in labelled() if not one.refusal and not one.held_back]
    alarms = [one for one in tuned if refusal_in(json.loads(one.answer), "", one.document.upper())]
    assert len(alarms) <= 0.01 * len(tuned)
