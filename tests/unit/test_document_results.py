"""Which models a result is said to come from, and what it is said to lack."""

from dataclasses import replace

from schemas.events import Choice, ModelCall
from shared.pipelines.document_results import models_of, result_of
from tests.unit.documents import MOMENT, analysis, analyzed, classified


def call(model: str, outcome: str) -> ModelCall:
    return ModelCall(
        task="extraction",
        provider="modelsim",
        model=model,
        prompt="extraction@1",
        input_tokens=1,
        output_tokens=1,
        cost_usd=0.0,
        milliseconds=1,
        outcome=outcome,
    )


CALLS = (call("a", "overloaded"), call("b", "ok"), call("c", "reused"))


def test_a_result_names_the_models_whose_answers_stand_and_not_those_that_were_asked_too() -> None:
    choice = Choice(task="extraction", decision="general", chain="analyst", models=("c",), score=0.8)
    assert models_of(replace(analysis({}, choices=(choice,)), calls=CALLS)) == ("c",)


def test_a_result_without_choices_names_all_that_answered_and_none_that_failed() -> None:
    assert models_of(replace(analysis({}), calls=CALLS)) == ("b", "c")


def test_a_result_that_is_not_whole_says_what_it_lacks() -> None:
    document = analyzed(classified("t"), analysis({}, missing=("qa:Who?: refusal: no",)))
    assert result_of(document, "stored", MOMENT).reason == "not whole: qa:Who?: refusal: no"
    assert result_of(document, "rejected", MOMENT, "a reason of its own").reason == "a reason of its own"
    assert result_of(analyzed(classified("t"), analysis({})), "stored", MOMENT).reason == ""
