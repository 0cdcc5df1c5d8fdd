from hypothesis import given
from hypothesis import strategies as st

from services.insights.counts import Counts
from services.insights.panes import Count, Pane

KEEP, NOW = 3_600, 1_000_000.0


def pane(begin: int, partition: int = 0, topic: str = "t") -> Pane:
    return Pane(begin, topic, partition, "failed", "analyze", "invoice", "refusal", "large", "extraction@1")


def held(counts: Counts, partitions: tuple[int, ...] = (0, 1)) -> dict[tuple[int, int], Count]:
    found = ((Pane.of(key), count) for key, count in counts.since(0, partitions))
    return {(one.partition, one.begin): count for one, count in found}


def test_a_record_that_comes_again_is_passed_over() -> None:
    counts = Counts({}, KEEP)
    for offset in (3, 4, 3, 4, 5):
        counts.add(pane(60), offset, NOW)
    assert held(counts) == {(0, 60): [3, 5]}


def test_old_panes_are_let_go_and_not_begun_anew() -> None:
    counts = Counts({}, KEEP)
    counts.add(pane(0), 1, NOW)
    counts.add(pane(0, partition=1), 1, NOW)
    counts.add(pane(7_200), 2, NOW)
    counts.add(pane(0), 1, NOW)
    assert held(counts) == {(0, 7_200): [1, 2], (1, 0): [1, 1]}


def test_a_process_that_takes_a_table_over_knows_what_was_let_go_and_what_was_counted() -> None:
    table: dict[str, Count] = {}
    Counts(table, KEEP).add(pane(7_200), 2, NOW)
    after = Counts(table, KEEP)
    after.add(pane(0), 1, NOW)
    after.add(pane(7_200), 2, NOW)
    after.add(pane(7_200), 3, NOW)
    assert held(after) == {(0, 7_200): [2, 3]}


def test_a_table_that_is_filled_from_elsewhere_is_seen() -> None:
    table: dict[str, Count] = {}
    counts = Counts(table, KEEP)
    assert held(counts) == {}
    table[pane(60).key] = [4, 9]
    assert held(counts) == {(0, 60): [4, 9]}
    assert held(counts, (1,)) == {}


def test_a_record_from_the_future_makes_nothing_old() -> None:
    counts = Counts({}, KEEP)
    counts.add(pane(int(NOW) // 60 * 60), 1, NOW)
    counts.add(pane(4_000_000_020), 2, NOW)
    counts.add(pane(int(NOW) // 60 * 60), 3, NOW)
    assert sorted(held(counts).values()) == [[1, 2], [2, 3]]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1), st.booleans()), max_size=60))
def test_the_index_is_what_the_table_says(records: list[tuple[int, int, bool]]) -> None:
    """Whatever is counted, and whoever takes the table over in between."""
    table: dict[str, Count] = {}
    counts = Counts(table, KEEP)
    for offset, (minute, partition, changes_hands) in enumerate(records):
        counts = Counts(table, KEEP) if changes_hands else counts
        counts.add(pane(minute * 60, partition), offset, NOW)
    assert held(counts) == {
        (one.partition, one.begin): count for one, count in ((Pane.of(k), c) for k, c in table.items())
    }
    for partition in (0, 1):
        begins = [Pane.of(key).begin for key in table if Pane.of(key).partition == partition]
        assert not begins or max(begins) - min(begins) <= KEEP
