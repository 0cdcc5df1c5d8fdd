"""Groups are served in turn, and each in its order."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.turns import Turns


def of(items: list[str]) -> Turns[str]:
    turns: Turns[str] = Turns(lambda item: item[0])
    turns.add(items)
    return turns


def all_of(turns: Turns[str]) -> list[str]:
    taken = []
    while turns:
        first = turns.first
        taken.append(turns.take())
        assert taken[-1] == first
    return taken


def test_one_of_each_group_comes_before_the_second_of_any() -> None:
    assert all_of(of(["a1", "a2", "a3", "b1", "c1", "c2"])) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_group_that_comes_later_has_its_turn_after_one_of_each_other() -> None:
    turns = of(["a1", "a2", "a3", "b1", "b2"])
    assert turns.take() == "a1"
    turns.add(["c1"])
    assert [turns.take(), turns.take(), turns.take()] == ["b1", "a2", "c1"]


def test_a_group_that_is_passed_over_has_its_turn_after_the_others() -> None:
    turns = of(["a1", "a2", "b1", "c1"])
    turns.pass_over()
    assert turns.groups == 3
    assert all_of(turns) == ["b1", "c1", "a1", "a2"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_nothing_is_lost_and_each_group_keeps_its_order(given_items: list[tuple[str, int]]) -> None:
    items = [f"{group}{number}" for group, number in given_items]
    taken = all_of(of(items))
    for group in "abc":
        assert [item for item in taken if item[0] == group] == [item for item in items if item[0] == group]
