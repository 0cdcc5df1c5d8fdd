"""The supervisor's decisions: who is asked, whose answer stands, when a person decides."""

import pytest

from shared.core.supervisor import Decision, SupervisorPolicy, Tried, Verdict, chains_for, good_enough, judged
from shared.core.thresholds import Exceptions

POLICY = SupervisorPolicy()


@pytest.mark.parametrize(
    ("task", "specialised", "chains"),
    [
        ("extraction", True, ("extraction", "analyst")),
        ("extraction", False, ("analyst",)),
        ("translation", False, ("analyst",)),
        ("analyst", True, ("analyst",)),
    ],
)
def test_a_task_goes_to_its_specialists_and_an_unknown_one_to_the_general_chain(
    task: str, specialised: bool, chains: tuple[str, ...]
) -> None:
    assert chains_for(task, "analyst", specialised=specialised) == chains


@pytest.mark.parametrize(
    ("chain", "score", "enough"),
    [("qa", 0.71, True), ("qa", 0.7, False), ("analyst", 0.51, True), ("analyst", 0.5, False)],
)
def test_a_specialist_is_believed_above_seven_tenths_and_the_general_chain_above_a_half(
    chain: str, score: float, enough: bool
) -> None:
    assert good_enough(POLICY, Tried(chain, score), "analyst") is enough


def test_what_is_said_of_a_type_and_of_a_model_is_obeyed_for_their_answers_alone() -> None:
    policy = SupervisorPolicy(
        exceptions=Exceptions({"contract": {"general_above": 0.95}}, {"small": {"specialist_above": 0.9}})
    )
    assert not good_enough(policy, Tried("qa", 0.8, ("small",)), "analyst")
    assert good_enough(policy, Tried("qa", 0.8, ("large",)), "analyst")
    assert judged(policy.of("contract"), [Tried("analyst", 0.9)], "analyst").decision is Decision.PERSON
    assert judged(policy.of("invoice"), [Tried("analyst", 0.9)], "analyst").decision is Decision.GENERAL


@pytest.mark.parametrize(
    ("tried", "verdict"),
    [
        ([("qa", 0.9)], Verdict(Decision.SPECIALIST, 0)),
        ([("qa", 0.6), ("analyst", 0.8)], Verdict(Decision.GENERAL, 1)),
        ([("qa", 0.6), ("analyst", 0.4)], Verdict(Decision.SPECIALIST, 0)),
        ([("qa", 0.6), ("analyst", 0.6)], Verdict(Decision.SPECIALIST, 0)),
        ([("qa", 0.5), ("analyst", 0.4)], Verdict(Decision.PERSON, 0)),
        ([("qa", 0.1), ("analyst", 0.3)], Verdict(Decision.PERSON, 1)),
    ],
)
def test_the_better_answer_stands_and_a_person_decides_where_none_is_good_enough(
    tried: list[tuple[str, float]], verdict: Verdict
) -> None:
    assert judged(POLICY, [Tried(*each) for each in tried], "analyst") == verdict
