"""Order within a key: whatever comes, comes back or is lost, an older record is never overtaken by a younger one."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.core.lanes import Lanes, Origin


@dataclass(frozen=True, eq=False)
class Item:
    """A record as a lane sees it."""

    key: bytes
    origin: Origin


def item(number: int, key: bytes = b"a") -> Item:
    return Item(key, (0, number))


def test_the_next_of_a_key_begins_when_the_one_before_is_done() -> None:
    lanes: Lanes[Item] = Lanes()
    first, second, other = item(1), item(2), item(3, b"b")
    assert lanes.add(first) is first
    assert lanes.add(second) is None
    assert lanes.add(other) is other
    assert lanes.done(first) is second
    assert lanes.done(second) is None


def test_a_follower_stands_behind_one_that_is_away_until_that_comes_back_and_is_done() -> None:
    lanes: Lanes[Item] = Lanes()
    first, second = item(1), item(2)
    lanes.add(first)
    lanes.add(second)
    assert lanes.send_away(first) is None
    assert lanes.blocked(b"a")
    again = item(1)
    assert lanes.add(again) is again
    assert lanes.done(again) is second


def test_one_that_comes_back_unexpectedly_goes_before_the_younger_ones_at_hand() -> None:
    lanes: Lanes[Item] = Lanes()
    running, waiting = item(5), item(6)
    lanes.add(running)
    lanes.add(waiting)
    older = item(2)
    assert lanes.add(older) is None
    assert lanes.done(running) is older
    assert lanes.done(older) is waiting


def test_one_that_is_expected_holds_up_what_is_younger_and_nothing_else() -> None:
    lanes: Lanes[Item] = Lanes()
    lanes.expect(item(5))
    assert lanes.add(item(4)) is not None
    assert lanes.add(item(9, b"b")) is not None
    younger = item(6)
    lanes.add(younger)
    assert lanes.followers(b"a") == (younger,)


def test_a_follower_that_is_sent_away_itself_keeps_its_place() -> None:
    lanes: Lanes[Item] = Lanes()
    first, second, third = item(1), item(2), item(3)
    for one in (first, second, third):
        lanes.add(one)
    lanes.send_away(first)
    lanes.send_away(second)
    back = item(2)
    assert lanes.add(back) is None
    first_again = item(1)
    assert lanes.add(first_again) is first_again
    assert lanes.done(first_again) is back
    assert lanes.done(back) is third


def test_what_is_away_in_a_lost_partition_holds_nobody_up() -> None:
    lanes: Lanes[Item] = Lanes()
    first, second = item(1), item(2)
    lanes.add(first)
    lanes.add(second)
    lanes.send_away(first)
    assert lanes.forget(lambda one: one is first) == [second]


def test_a_lane_leaves_nothing_behind() -> None:
    lanes: Lanes[Item] = Lanes()
    one = item(1)
    lanes.add(one)
    lanes.send_away(one)
    lanes.forget(lambda _: True)
    assert not lanes.blocked(b"a")
    assert lanes._lanes == {}


KEYS = st.sampled_from([b"a", b"b"])


class Journeys(RuleBasedStateMachine):
    """Random lives of records, against a model that knows only which are known and not done."""

    @initialize()
    def start(self) -> None:
        self.lanes: Lanes[Item] = Lanes()
        self.next = 0
        self.open: dict[bytes, list[Origin]] = {b"a": [], b"b": []}
        self.running: dict[bytes, Item] = {}
        self.away: list[Item] = []

    def begins(self, begun: Item | None) -> None:
        if begun is not None:
            assert begun.key not in self.running, "two of a key at once"
            assert begun.origin == min(self.open[begun.key]), "an older one was overtaken"
            self.running[begun.key] = begun

    @rule(key=KEYS)
    def arrive(self, key: bytes) -> None:
        self.next += 1
        fresh = item(self.next, key)
        self.open[key].append(fresh.origin)
        self.begins(self.lanes.add(fresh))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        ended = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.open[ended.key].remove(ended.origin)
        self.begins(self.lanes.done(ended))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        failed = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        self.away.append(failed)
        self.begins(self.lanes.send_away(failed))

    @precondition(lambda self: self.away)
    @rule(data=st.data(), due_later=st.booleans())
    def come_back(self, data: st.DataObject, due_later: bool) -> None:
        back = data.draw(st.sampled_from(self.away))
        again = Item(back.key, back.origin)
        if due_later:
            self.lanes.expect(again)
            self.away[self.away.index(back)] = again
        else:
            self.away.remove(back)
            self.begins(self.lanes.add(again))

    @invariant()
    def nobody_waits_without_a_reason(self) -> None:
        for key, known in self.open.items():
            away = {one.origin for one in self.away if one.key == key}
            if known and key not in self.running:
                assert min(known) in away


Journeys.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestJourneys = Journeys.TestCase
