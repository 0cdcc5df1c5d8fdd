"""Whatever finishes in whatever order, and whenever it is killed: nothing is lost, nothing runs twice, all fits."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.core.progress import LIMIT, MAX_INCOMPLETE, MAX_SPAN, Progress, decode, encode, takes_back


class Restarts(RuleBasedStateMachine):
    """A partition whose log has gaps, worked off by owners that commit now and then, and are killed."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[int] = []
        self.end = 7
        self.committed = (7, "")
        self.done_for_good: set[int] = set()
        self.take_over()

    def take_over(self) -> None:
        self.progress = Progress(*self.committed)
        self.position = self.committed[0]
        self.running: list[int] = []
        self.finished: set[int] = set()

    @rule(gaps=st.lists(st.integers(1, 3), min_size=1, max_size=30))
    def append(self, gaps: list[int]) -> None:
        for gap in gaps:
            self.log.append(self.end)
            self.end += gap

    @rule(most=st.integers(1, 20))
    def fetch(self, most: int) -> None:
        for offset in [o for o in self.log if o >= self.position][:most]:
            self.position = offset + 1
            admitted = self.progress.admit(offset)
            assert admitted == (offset not in self.done_for_good)
            if admitted:
                self.running.append(offset)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        offset = self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))
        self.progress.complete(offset)
        self.finished.add(offset)

    @rule()
    def commit(self) -> None:
        before, self.committed = self.committed, self.progress.snapshot()
        assert not takes_back(before, self.committed)
        assert takes_back(self.committed, before) or self.finished <= self.done_for_good
        self.done_for_good |= self.finished

    @rule()
    def kill(self) -> None:
        self.take_over()

    @invariant()
    def what_is_committed_says_exactly_what_is_done(self) -> None:
        base, metadata = self.committed
        high, incomplete = decode(base, metadata)
        told = {o for o in self.log if o < base or (o <= high and o not in incomplete)}
        assert told == self.done_for_good
        assert len(metadata) <= LIMIT


Restarts.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRestarts = Restarts.TestCase


@given(st.lists(st.integers(1, MAX_SPAN), min_size=MAX_INCOMPLETE - 1, max_size=MAX_INCOMPLETE - 1))
@settings(max_examples=20, deadline=None)
def test_the_metadata_fits_however_the_gaps_lie(gaps: list[int]) -> None:
    progress, offset = Progress(0), 0
    for gap in [*gaps, 1]:
        if progress.room:
            progress.admit(offset)
            offset += gap
    progress.admit(offset)
    progress.complete(offset)
    base, metadata = progress.snapshot()
    assert len(metadata) <= LIMIT
    assert decode(base, metadata)[0] == offset


def test_the_metadata_fits_when_every_gap_that_can_is_wide() -> None:
    wide = [number * 16_384 for number in range(128)]
    incomplete = wide + [wide[-1] + 128 * number for number in range(1, MAX_INCOMPLETE - 128)]
    assert len(encode(0, MAX_SPAN + 1_000, incomplete)) <= LIMIT


def test_a_partition_that_is_taken_over_full_is_read_on() -> None:
    before = Progress(0)
    for offset in range(MAX_INCOMPLETE + 100):
        before.admit(offset)
    before.complete(MAX_INCOMPLETE + 99)
    after = Progress(*before.snapshot())
    assert after.room > 0
    for offset in range(MAX_INCOMPLETE + 100):
        after.admit(offset)
    assert after.room == 0


def test_there_is_no_room_far_beyond_a_record_that_waits() -> None:
    progress = Progress(0)
    progress.admit(0)
    progress.admit(MAX_SPAN)
    progress.complete(MAX_SPAN)
    assert progress.room == 0
    progress.complete(0)
    assert progress.room == MAX_INCOMPLETE


def test_a_record_that_comes_twice_is_taken_up_once() -> None:
    progress = Progress(5)
    assert progress.admit(5)
    assert not progress.admit(5)
    assert progress.incomplete == 1


def test_a_first_commit_after_a_restart_keeps_what_was_not_fetched_again() -> None:
    before = Progress(0)
    for offset in range(10):
        before.admit(offset)
    before.complete(9)
    after = Progress(*before.snapshot())
    after.admit(0)
    after.complete(0)
    base, metadata = after.snapshot()
    assert base == 1
    assert decode(base, metadata) == (9, frozenset(range(1, 9)))


@given(st.text(max_size=40) | st.text("1AQIDBAUG=/+hour", max_size=12).map(lambda text: f"1{text}"))
def test_metadata_that_others_wrote_completes_nothing_or_reads_as_ours(metadata: str) -> None:
    high, incomplete = decode(100, metadata)
    if high >= 100:
        assert encode(100, high, sorted(incomplete)) == metadata
    else:
        assert (high, incomplete) == (99, frozenset())
