"""One cause has one fingerprint, whatever document it speaks of; two causes have two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.causes import DIGITS, fingerprint_of, pattern_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("page 7 of 12 is empty", "page 11 of 340 is empty"),
        ("no file 'smith.pdf'", "no file 'o-neil 3.docx'"),
        ('key b"d1" is missing', 'key b"d2771" is missing'),
        ("schema fingerprint 9f31c07711aa0b2e is unknown", "schema fingerprint 00ff31c0aa1182e4 is unknown"),
        ("4096 tokens, the limit is 4,000", "81,223 tokens, the limit is 4,000"),
        ("the value begins with 00 ff ff 20: no frame", "the value begins with 7b 22 61 3a: no frame"),
        ("file:///a/b/3f is gone", "s3://bucket/77 is gone"),
        ("failed at 2026-03-01T12:00:00+00:00", "failed at 2026-11-24T07:31:09.120Z"),
        (
            "document 6f8c2a1e-0f6d-5a0b-9d57-70e4573c0de5 is odd",
            "document 00000000-0f6d-5a0b-9d57-000000000000 is odd",
        ),
        ("the model refused doc-7", "the model refused doc-4711"),
        ("answer of inv-20260301 has no total", "answer of inv-77 has no total"),
    ],
)
def test_what_differs_from_document_to_document_is_no_part_of_the_cause(one: str, other: str) -> None:
    assert pattern_of(one) == pattern_of(other)
    assert fingerprint_of("corrupt", "extract", one) == fingerprint_of("corrupt", "extract", other)


def test_class_stage_and_words_each_make_another_cause() -> None:
    causes = [
        ("corrupt", "extract", "it is broken"),
        ("encrypted", "extract", "it is broken"),
        ("corrupt", "analyze", "it is broken"),
        ("corrupt", "extract", "it is torn"),
    ]
    assert len({fingerprint_of(*cause) for cause in causes}) == 4


def test_a_word_that_could_be_hex_and_an_apostrophe_are_left_alone() -> None:
    assert pattern_of("the facade doesn't accede, it isn't added") == "the facade doesn't accede, it isn't added"


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_fingerprint_and_always_the_same(failure: str, stage: str, message: str) -> None:
    found = fingerprint_of(failure, stage, message)
    assert found == fingerprint_of(failure, stage, message)
    assert len(found) == DIGITS
