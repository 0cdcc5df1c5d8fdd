from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.insights.panes import SECONDS, Count, Pane, Windows, counted, pane_of, windowed
from shared.core.atlas.ended import Ended

REFUSED = Ended("d", "analyze", "refusal", 0.0, document_type="invoice", model="large", prompt="extraction@1")


def pane(begin: int = 0, topic: str = "t", partition: int = 0) -> Pane:
    return Pane(begin, topic, partition, "failed", "analyze", "invoice", "refusal", "large", "extraction@1")


@given(st.text(), st.text(), st.integers(0, 2**31))
def test_a_pane_comes_back_from_its_key(topic: str, model: str, partition: int) -> None:
    one = Pane(60, topic, partition, "through", "s", "", "", model, "")
    assert Pane.of(one.key) == one


@given(st.integers(1, 50), st.data())
def test_every_record_counts_once_however_often_it_is_delivered(records: int, draw: st.DataObject) -> None:
    """Deliveries begin again at some offset that was delivered before, as after a crash."""
    now: Count | None = None
    reached = 0
    while reached < records:
        begin = draw.draw(st.integers(0, reached))
        end = draw.draw(st.integers(reached, records)) if begin < reached else records
        for offset in range(begin, end):
            now = counted(now, offset) or now
        reached = max(reached, end)
    assert now == [records, records - 1]


def test_a_pane_belongs_to_one_partition_of_one_topic() -> None:
    sources = [("a", 0), ("a", 1), ("b", 0)]
    assert len({pane_of(REFUSED, "failed", source, 61.0).key for source in sources}) == 3
    assert pane_of(REFUSED, "failed", ("a", 0), 119.9).begin == 60


def test_what_got_through_did_not_fail_wherever_it_stands() -> None:
    through = Ended("d", "analyze", "", 0.0)
    assert pane_of(through, "failed", ("a", 0), 0.0).kind == "through"
    assert pane_of(REFUSED, "retried", ("a", 0), 0.0).kind == "retried"


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=30),
    st.sampled_from((Windows(60, 60), Windows(300, 60), Windows(3_600, 300), Windows(600, 600))),
)
def test_a_window_is_the_sum_of_the_panes_in_it(minutes: list[tuple[int, int]], windows: Windows) -> None:
    panes: dict[str, Count] = {}
    for number, (minute, count) in enumerate(minutes):
        panes[pane(minute * SECONDS, topic=f"t{number}").key] = [count, 0]
    rows = {row["begin"]: row["count"] for row in windowed(panes, windows, since=-10_000)}
    expected: Counter[int] = Counter()
    for begin in range(-7_200, 7_200, windows.hop):
        inside = sum(count for minute, count in minutes if begin <= minute * SECONDS < begin + windows.length)
        expected += Counter({begin: inside})
    assert rows == dict(expected)


def test_windows_before_the_asked_time_are_left_out_and_the_newest_come_first() -> None:
    panes: dict[str, Count] = {pane(begin).key: [1, 0] for begin in (0, 60, 120)}
    assert [row["begin"] for row in windowed(panes, Windows(60, 60), since=60)] == [120, 60]
