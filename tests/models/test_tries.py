"""Whether a model is asked once more, with which prompt, and which answer is the best so far."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.context import Prompt
from shared.core.failures import Failure
from shared.core.quality import QualityPolicy
from shared.models.judging.checked import DOUBTED, Checked
from shared.models.judging.repairs import REPAIRABLE, repaired, structured
from shared.models.judging.tries import Tried, best_of, following

POLICY = QualityPolicy()
ASKED = Prompt("p@1", "be brief", "question", "extraction")
GOOD = Checked("good", quality=0.9)
FAIR = Checked("fair", quality=0.65)
POOR = Checked("poor", quality=0.4, fields=("total",))
INVENTED = Checked("made up", Failure.UNGROUNDED, fields=("vendor",), quality=0.8)
SHELL = Checked("", Failure.LOW_QUALITY, fields=("total",))
BROKEN: Checked[str] = Checked(failure=Failure.MALFORMED_JSON)
REFUSED: Checked[str] = Checked(failure=Failure.REFUSAL)
ANSWERS = st.one_of(
    st.floats(0, 1).map(lambda q: Checked("value", quality=q)),
    st.builds(lambda f, q: Checked("value", f, "", ("a",), q), st.sampled_from(sorted(DOUBTED)), st.floats(0, 1)),
    st.sampled_from(sorted(set(Failure) - DOUBTED)).map(lambda failure: Checked(failure=failure, fields=("a",))),
)  # fmt: skip


def tries(*answers: Checked[Any], usd: float = 0.0) -> list[Tried[Any]]:
    """What was tried, each with the prompt that followed from those before it."""
    tried: list[Tried[Any]] = []
    for answer in answers:
        prompt = following(POLICY, ASKED, tried)
        assert prompt is not None
        tried.append(Tried(prompt, answer, usd))
    return tried


def after(*answers: Checked[Any]) -> Prompt | None:
    return following(POLICY, ASKED, tries(*answers))


def test_the_question_itself_comes_first() -> None:
    assert after() == ASKED


@pytest.mark.parametrize(
    "answer", [GOOD, REFUSED, Checked(failure=Failure.TIMEOUT), Checked(failure=Failure.TOKEN_LIMIT)]
)
def test_a_good_answer_a_refusal_and_the_providers_fault_end_it(answer: Checked[Any]) -> None:
    assert after(answer) is None


@pytest.mark.parametrize("failure", sorted(REPAIRABLE))
def test_an_answer_without_a_value_is_mended_once(failure: Failure) -> None:
    useless: Checked[str] = Checked(failure=failure, fields=("total",))
    assert after(useless) == repaired(ASKED, useless)
    assert after(useless, useless) is None
    assert after(useless, POOR) == structured(ASKED, POOR)


def test_a_fair_answer_is_sampled_again_a_poor_one_gets_the_structured_prompt_an_invented_one_its_fields() -> None:
    again = after(FAIR)
    assert again is not None
    assert (again.sample, again.user != ASKED.user) == (1, True)
    assert after(POOR) == structured(ASKED, POOR)
    assert after(SHELL) == structured(ASKED, SHELL)
    assert after(INVENTED) == repaired(ASKED, INVENTED)
    assert "vendor" in repaired(ASKED, INVENTED).user


def test_a_change_that_brought_nothing_is_the_last() -> None:
    assert after(FAIR, POOR) is None
    assert after(POOR, POOR) is None
    assert after(SHELL, POOR) is not None
    assert after(POOR, FAIR) is not None
    assert after(POOR, FAIR, Checked("better", quality=0.69)) is None  # the attempts are used up


def test_money_ends_it() -> None:
    assert following(POLICY, ASKED, tries(POOR, usd=0.5)) is None
    assert following(POLICY, ASKED, tries(POOR, usd=0.49)) is not None


def test_the_best_is_what_is_accepted_then_the_highest_score_then_the_first() -> None:
    assert best_of([]) is None
    assert best_of(tries(BROKEN)) is None
    assert best_of(tries(INVENTED, POOR)) == POOR
    assert best_of([Tried(ASKED, FAIR), Tried(ASKED, POOR), Tried(ASKED, REFUSED)]) == FAIR
    first = Checked("first", quality=0.5)
    assert best_of([Tried(ASKED, first), Tried(ASKED, Checked("second", quality=0.5))]) == first


@given(st.lists(ANSWERS, min_size=4, max_size=4))
def test_it_ends_and_no_prompt_is_sent_twice_whatever_comes_back(answers: list[Checked[Any]]) -> None:
    tried: list[Tried[Any]] = []
    while (prompt := following(POLICY, ASKED, tried)) is not None:
        tried.append(Tried(prompt, answers[len(tried)]))
    sent = [(one.prompt.system, one.prompt.user) for one in tried]
    assert len(sent) == len(set(sent)) <= POLICY.attempts
    valued = [one.checked for one in tried if one.checked.value is not None]
    assert (best_of(tried) is None) is (not valued)
