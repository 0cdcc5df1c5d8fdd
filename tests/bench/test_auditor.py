"""The auditor finds what is wrong: a benchmark that could not fail would measure nothing."""

from pathlib import Path

import pytest

from infra.bench.auditor import Kill, Result, gone_on, repeats, verdict
from infra.bench.notes import BEGIN, END, RECORDED, Note, Notes, notebook

A0, A1, B0 = ("a", 0), ("a", 1), ("b", 0)
FIRST, SECOND = 11, 22
"""Process ids."""


def note(kind: str, call: tuple[str, int], process: int, at: float) -> Note:
    return Note(kind, *call, 1, process, at)


def results(*calls: tuple[str, int], at: float = 9.0) -> list[Result]:
    return [Result(call, at) for call in calls]


def test_everything_once_and_in_order_is_well() -> None:
    found = verdict([A0, A1, B0], results(A0, B0, A1))
    assert found == {"documents": 3, "lost": 0, "doubled": 0, "out_of_order": 0}


def test_what_is_missing_is_lost() -> None:
    assert verdict([A0, A1, B0], results(A0))["lost"] == 2


def test_what_came_three_times_was_doubled_twice() -> None:
    assert verdict([A0], results(A0, A0, A0))["doubled"] == 2


def test_a_record_after_a_later_one_of_its_document_is_out_of_order() -> None:
    found = verdict([A0, A1, B0], results(A1, B0, A0))
    assert (found["out_of_order"], found["lost"]) == (1, 0)


def test_a_call_in_flight_at_a_kill_may_be_made_once_more() -> None:
    notes = [note(BEGIN, A0, FIRST, 1.0), note(BEGIN, A0, SECOND, 3.0), note(END, A0, SECOND, 4.0)]
    found = repeats(notes, results(A0), [Kill(FIRST, 2.0)])
    assert found == {"repeated_after_record": 0, "calls_repeated": 1, "calls_in_flight_at_kills": 1}


@pytest.mark.parametrize(("told", "in_flight"), [(END, 1), (RECORDED, 0)])
def test_a_call_is_in_flight_until_its_result_is_recorded(told: str, in_flight: int) -> None:
    notes = [note(BEGIN, A0, FIRST, 1.0), note(told, A0, FIRST, 1.5), note(BEGIN, A0, SECOND, 3.0)]
    found = repeats(notes, results(A0), [Kill(FIRST, 2.0)])
    assert (found["calls_repeated"], found["calls_in_flight_at_kills"]) == (1, in_flight)


def test_a_call_begun_after_its_result_was_recorded_is_found() -> None:
    notes = [note(BEGIN, A0, FIRST, 1.0), note(RECORDED, A0, FIRST, 1.5), note(BEGIN, A0, SECOND, 3.0)]
    assert repeats(notes, results(A0), [])["repeated_after_record"] == 1


def test_a_call_begun_after_its_result_was_committed_is_found() -> None:
    notes = [note(BEGIN, A0, FIRST, 1.0), note(BEGIN, A0, SECOND, 3.0)]
    assert repeats(notes, results(A0, at=2.0), [])["repeated_after_record"] == 1


def test_recovery_is_from_the_kill_to_the_next_document_of_each_of_its_partitions() -> None:
    notes = [
        note(BEGIN, A0, FIRST, 1.0),
        note(BEGIN, B0, SECOND, 1.0),
        note(END, B0, SECOND, 2.5),
        note(BEGIN, A0, SECOND, 6.0),
        note(END, A0, SECOND, 7.0),
    ]
    assert gone_on(notes, Kill(FIRST, 2.0), {"a": 0, "b": 1}, [A0, B0]) == {0: 5.0}


def test_a_partition_that_nobody_has_taken_up_yet_has_not_gone_on() -> None:
    assert gone_on([note(BEGIN, A0, FIRST, 1.0)], Kill(FIRST, 2.0), {"a": 0}, [A0]) == {0: None}


def test_a_partition_with_nothing_left_to_do_need_not_go_on() -> None:
    notes = [note(BEGIN, A0, FIRST, 1.0), note(END, A0, FIRST, 1.5)]
    assert gone_on(notes, Kill(FIRST, 2.0), {"a": 0}, [A0]) == {}


def test_notes_are_read_on_and_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.txt")
    assert notes.all() == []
    with notebook(notes.path) as book:
        book.note(BEGIN, "a", 0, 1)
        assert notes.calls(BEGIN) == {A0}
        with notes.path.open("ab") as other:
            other.write(b"end a 0 1 ")
        assert notes.calls(END) == set()
        with notes.path.open("ab") as other:
            other.write(b"11 2.5\n")
        assert notes.of(END) == [note(END, A0, FIRST, 2.5)]
