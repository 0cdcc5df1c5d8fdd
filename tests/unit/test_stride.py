"""Groups take turns by cost and weight."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.core.stride import Stride


def served(line: Stride[int], count: int) -> Counter[str]:
    return Counter(line.take().group for _ in range(count))


def filled(weights: dict[str, float], costs: dict[str, float], each: int = 200) -> Stride[int]:
    line: Stride[int] = Stride(weights)
    for group, cost in costs.items():
        for number in range(each):
            line.add(group, cost, number)
    return line


def test_a_group_with_a_thousand_waiting_does_not_hold_up_one_with_a_single_one() -> None:
    line = filled({}, {"large": 1.0}, 1_000)
    served(line, 500)
    line.add("small", 1.0, 0)
    assert "small" in served(line, 2)


def test_groups_are_served_by_cost_and_not_by_number() -> None:
    found = served(filled({}, {"dear": 3.0, "cheap": 1.0}), 100)
    assert found["cheap"] in range(74, 77)


def test_a_weight_gives_a_larger_part() -> None:
    found = served(filled({"paying": 4.0}, {"paying": 1.0, "other": 1.0}), 100)
    assert found["paying"] in range(79, 82)


def test_who_was_away_has_no_claim_on_what_it_did_not_ask_for() -> None:
    line = filled({}, {"one": 1.0})
    line.add("two", 1.0, 0)
    served(line, 100)
    for number in range(100):
        line.add("two", 1.0, number)
    assert served(line, 20)["two"] in (9, 10, 11)


def test_a_group_that_leaves_and_comes_back_at_once_gains_nothing_by_it() -> None:
    line = filled({}, {"one": 1.0})
    for number in range(20):
        line.add("two", 5.0, number)
        while line.take().group != "two":
            pass
    assert len(line) < 110


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 9)), min_size=1, max_size=30), st.data())
def test_what_is_put_back_is_taken_again_in_the_same_order(made: list[tuple[str, float]], data: st.DataObject) -> None:
    line: Stride[int] = Stride({"b": 2.0})
    for number, (group, cost) in enumerate(made):
        line.add(group, cost, number)
    count = data.draw(st.integers(0, len(made)))
    first = [line.take() for _ in range(count)]
    for taken in reversed(first):
        line.put_back(taken)
    assert len(line) == len(made)
    again = [line.take() for _ in made]
    assert again[:count] == first


def test_who_waits_no_more_is_taken_out_and_nobodys_turn_changes() -> None:
    line = filled({}, {"one": 1.0, "two": 1.0}, each=4)
    assert line.drop(lambda number: number % 2 == 0) == [0, 2, 0, 2]
    taken = [line.take() for _ in range(4)]
    assert [(one.group, one.item) for one in taken] == [("one", 1), ("two", 1), ("one", 3), ("two", 3)]
    assert len(line) == 0
