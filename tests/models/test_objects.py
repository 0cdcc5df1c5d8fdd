"""The JSON object in what a model wrote, and what is complete in one that was cut off."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.models.judging.objects import complete_part, object_in, without_last

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9999, 9999) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=5)


@given(OBJECTS, st.sampled_from(["", "Here it is: ", "```json\n", 'As {asked}: '])
       , st.sampled_from(["", "\n```", " I hope {this} helps.", "}"]))  # fmt: skip
def test_an_object_is_found_among_prose_whatever_its_texts_hold(content: object, before: str, after: str) -> None:
    found, _, problem = object_in(before + json.dumps(content) + after)
    assert (found, problem) == (content, "")


@given(OBJECTS, st.data())
def test_what_is_kept_of_a_cut_object_is_a_beginning_of_it(content: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(content, ensure_ascii=False)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    kept = complete_part(cut)
    assert kept is not None
    assert list(kept.items()) == list(content.items())[: len(kept)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"a": 1, "b": 12', {"a": 1}),
        ('{"a": "x", "b": ["y", "z"], "c": ["u", ', {"a": "x", "b": ["y", "z"]}),
        ('{"a": "one, two", "b": "thr', {"a": "one, two"}),
        ('{"a": "say \\"no\\", then', {}),
        ("{", {}),
        ('{"a": 1}', None),
        ('{"a" 1, "b": 2, "c', None),
        ('{"a": "x" "b": [1, ', None),
        ("no object", None),
        ("[1, 2", None),
    ],
)
def test_only_what_a_comma_follows_is_complete(text: str, kept: dict[str, object] | None) -> None:
    assert complete_part(text) == kept


def test_the_last_field_of_an_object_that_was_closed_for_the_model_is_not_believed() -> None:
    assert without_last({"a": 1, "b": 2}) == {"a": 1}
    assert without_last({}) == {}


@pytest.mark.parametrize(
    "hostile", ['{"a":' * 50_000, "{" * 100_000 + "}" * 100_000, '{"a":"' + "\\" * 400_001, '"{' * 99_999]
)
def test_a_hostile_text_takes_no_time_worth_the_name(hostile: str) -> None:
    assert object_in(hostile)[0] is None
    assert complete_part(hostile) in (None, {})
