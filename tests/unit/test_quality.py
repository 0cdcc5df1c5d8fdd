"""The score of an answer: between nothing and one, lower for whatever is missing or invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.quality import Evidence, QualityPolicy, quality

POLICY = QualityPolicy()
NAMES = tuple("abcdefgh")


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    needed, quoted = draw(st.integers(0, 8)), draw(st.integers(0, 8))
    return Evidence(
        needed=needed,
        missing=NAMES[: draw(st.integers(0, needed))],
        quoted=quoted,
        invented=NAMES[: draw(st.integers(0, quoted))],
        confidence=draw(st.none() | st.floats(-1, 2)),
        says_nothing=draw(st.booleans()),
    )


@given(evidences())
def test_a_score_is_between_nothing_and_one(evidence: Evidence) -> None:
    assert 0 <= quality(evidence) <= 1


@given(evidences().filter(lambda one: one.missing or one.invented), st.booleans())
def test_what_is_missing_or_invented_never_makes_an_answer_better(evidence: Evidence, shell: bool) -> None:
    whole = Evidence(evidence.needed, (), evidence.quoted, (), evidence.confidence)
    assert quality(evidence) <= quality(whole)


@pytest.mark.parametrize(
    ("evidence", "score"),
    [
        (Evidence(), 1.0),
        (Evidence(needed=3, quoted=7, confidence=0.98), 0.996),
        (Evidence(needed=3, says_nothing=True, missing=NAMES[:3], confidence=0.9), 0.0),
        (Evidence(says_nothing=True, confidence=0.3), 0.3),
        (Evidence(needed=1, missing=("summary",)), 0.0),
        (Evidence(needed=2, missing=("party_b",), quoted=1, confidence=0.9), 0.73),
        (Evidence(needed=3, quoted=7, confidence=0.2), 0.84),
        (Evidence(needed=3, quoted=7, invented=("vendor",), confidence=0.98), 0.65),
        (Evidence(needed=3, quoted=2, invented=("vendor", "total"), confidence=0.0), 0.5),
    ],
)
def test_the_score_of(evidence: Evidence, score: float) -> None:
    assert quality(evidence) == pytest.approx(score)


def test_the_defaults_are_those_that_are_promised() -> None:
    assert (POLICY.retry_below, POLICY.structured_below, POLICY.attempts) == (0.7, 0.6, 3)


def test_nothing_is_a_good_answer_where_nothing_is_needed() -> None:
    assert not Evidence(says_nothing=True).is_shell
    assert Evidence(needed=1, says_nothing=True).is_shell
