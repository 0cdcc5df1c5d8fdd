"""What waits keeps its place in its key's order, takes no slot, and moves to the parked topic where it is too many."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.failures import Failure
from shared.core.headers import ATTEMPTS, ORIGIN, WAITS_FOR, History, header
from shared.core.outcome import Emit, Outcome, Park, Retry
from shared.core.settle import Place, Settled, settle
from shared.kafka_port import Record
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.room import Limits
from shared.runtime.flow.runners import Inline, Tasks
from shared.runtime.flow.share import Taken
from tests.pipeline.tiny.events import TicketTriaged
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, owning, taken, ticket

PLACE = Place(TICKETS, TRIAGE)
TOPICS = TICKETS.topics(TRIAGE)
AWAY = Park("model:large", "open", after=0.0)
FAILED = Retry(Failure.OVERLOADED, "busy")


def done(key: bytes | None) -> Outcome[TicketTriaged]:
    return Emit(TicketTriaged(document_id=(key or b"").decode(), subject="", urgent=False))


class Stage:
    """A cheap stage whose handler says what the test wants, and everything around it but Kafka."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.shares = owning(0, topics=TOPICS, limits=limits)
        self.outcomes: dict[bytes | None, Outcome[TicketTriaged]] = {}
        self.handled: list[tuple[bytes | None, int]] = []
        self.now: datetime = NOW
        self.errors: list[BaseException] = []
        tasks = Tasks(self.errors.append)
        self.admission = Admission(
            PLACE, self.shares, self.encode, lambda: self.now, lambda d: Inline(d, self.shares, tasks, self.decide)
        )

    def decide(self, one: Taken) -> Settled:
        self.handled.append((one.key, one.origin[1]))
        outcome = self.outcomes.get(one.key) or done(one.key)
        return settle(PLACE, one.delivery, ticket(document_id="x"), outcome, NOW)

    def encode(self, one: Taken, settled: Settled) -> tuple[Record, ...]:
        return tuple(Record(w.topic, w.key, b"bytes", w.headers, w.partition) for w in settled.writes)

    def written(self) -> list[tuple[str, bytes | None]]:
        return [(r.topic, r.key) for done in self.shares.await_finished(0, 1000) for r in done.records]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110  what is awaited are turns of this very loop
                await asyncio.sleep(0)


async def test_a_record_that_waits_keeps_nobody_else_from_the_handler() -> None:
    stage = Stage()
    stage.outcomes[b"a"] = AWAY
    stage.admission.admit(taken(stage.shares, [b"a", b"b", b"a", b"c"]))
    await stage.until(lambda: len(stage.handled) >= 3)
    assert stage.handled[:3] == [(b"a", 0), (b"b", 1), (b"c", 3)]
    assert stage.shares.standing().waiting == 2, "the follower waits, too"
    stage.outcomes.clear()
    await stage.until(lambda: (b"a", 2) in stage.handled)
    assert stage.shares.standing().waiting == 0
    assert [key for _, key in stage.written()] == [b"b", b"c", b"a", b"a"]


async def test_beyond_half_the_room_what_waits_goes_to_the_parked_topic_with_its_attempts() -> None:
    stage = Stage(Limits(records=4))
    stage.outcomes = {b"%d" % n: AWAY for n in range(4)}
    stage.admission.admit(taken(stage.shares, [b"0", b"1", b"2", b"3", b"4"]))
    await stage.until(lambda: len(stage.handled) >= 5)
    assert stage.written() == [(TOPICS.parked, b"2"), (TOPICS.parked, b"3"), ("tickets.close", b"4")]


async def test_one_that_looked_in_vain_keeps_its_place_and_the_others_do_not_look_after_it() -> None:
    stage = Stage(Limits(records=4))
    stage.outcomes = {b"0": replace(AWAY, after=0.0), b"1": AWAY, b"2": AWAY}
    stage.admission.admit(taken(stage.shares, [b"0", b"1"]))
    await stage.until(lambda: len(stage.handled) >= 2)
    stage.shares.wait(taken(stage.shares, [b"x"], start=2)[0])
    await stage.until(lambda: len(stage.handled) >= 6)
    assert {key for key, _ in stage.handled[2:]} == {b"0"}
    assert stage.written() == []


async def test_a_parked_record_says_what_it_waits_for_and_where_it_comes_from() -> None:
    stage = Stage(Limits(records=0))
    stage.outcomes[b"a"] = AWAY
    stage.admission.admit(taken(stage.shares, [b"a"], start=7))
    await stage.until(lambda: bool(stage.handled))
    [finished] = stage.shares.await_finished(0, 10)
    [record] = finished.records
    assert record.partition == 0
    assert header(tuple(record.headers), WAITS_FOR) == "model:large"
    assert header(tuple(record.headers), ORIGIN) == f"{TOPIC}/0/7"
    assert header(tuple(record.headers), ATTEMPTS) == ""
    back = delivery(0, topic=TOPICS.parked, headers=tuple(record.headers))
    assert (str(back.origin), back.attempt) == (f"{TOPIC}/0/7", 1)


async def test_a_retry_that_waits_does_so_where_it_is() -> None:
    stage = Stage(Limits(records=0))
    failed = History("triage", Failure.OVERLOADED, "busy", 2, NOW, NOW, delivery(3).position)
    stage.outcomes[b"a"] = AWAY
    retried = delivery(0, key=b"a", topic=TOPICS.retries[0], headers=failed.to_headers())
    stage.now = NOW + timedelta(minutes=1)
    stage.admission.admit(stage.shares.take([retried]))
    await stage.until(lambda: bool(stage.handled))
    assert stage.written() == []
    assert stage.shares.standing().waiting == 1


async def test_a_follower_waits_behind_a_record_that_was_parked_and_goes_after_it() -> None:
    stage = Stage(Limits(records=2))
    stage.outcomes = {b"x": AWAY, b"a": AWAY}
    stage.admission.admit(taken(stage.shares, [b"x", b"a", b"a"]))
    await stage.until(lambda: len(stage.handled) >= 2)
    assert stage.written() == [(TOPICS.parked, b"a"), (TOPICS.parked, b"a")]
    stage.outcomes.clear()
    origins = [((ORIGIN, f"{TOPIC}/0/{n}".encode()), (WAITS_FOR, b"model:large")) for n in (1, 2)]
    younger = delivery(0, key=b"a", topic=TOPICS.parked, headers=origins[1])
    older = delivery(1, key=b"a", topic=TOPICS.parked, headers=origins[0])
    before = len(stage.handled)
    stage.admission.admit(stage.shares.take([younger, older]))
    await stage.until(lambda: [at for at in stage.handled[before:] if at[0] == b"a"] == [(b"a", 1), (b"a", 2)])


async def test_a_follower_stands_behind_a_record_in_retry_until_that_is_done() -> None:
    stage = Stage()
    stage.outcomes[b"a"] = FAILED
    stage.admission.admit(taken(stage.shares, [b"a", b"a", b"b"]))
    await stage.until(lambda: len(stage.handled) == 2)
    assert stage.handled == [(b"a", 0), (b"b", 2)]
    assert stage.shares.standing().waiting == 1
    stage.outcomes.clear()
    headers = History("triage", Failure.OVERLOADED, "busy", 1, NOW, NOW, delivery(0).position).to_headers()
    stage.now = NOW + timedelta(minutes=1)
    stage.admission.admit(stage.shares.take([delivery(0, key=b"a", topic=TOPICS.retries[0], headers=headers)]))
    await stage.until(lambda: len(stage.handled) == 4)
    assert stage.handled[2:] == [(b"a", 0), (b"a", 1)]


async def test_after_a_restart_a_retry_that_is_not_due_holds_its_followers_up() -> None:
    stage = Stage()
    headers = History("triage", Failure.OVERLOADED, "busy", 1, NOW, NOW, delivery(0).position).to_headers()
    waiting = replace(delivery(0, key=b"a", topic=TOPICS.retries[0], headers=headers), appended_at=NOW)
    stage.admission.admit(stage.shares.take([waiting]))
    stage.admission.admit(taken(stage.shares, [b"a", b"b"], start=1))
    await stage.until(lambda: len(stage.handled) == 1)
    assert stage.handled == [(b"b", 2)]


async def test_a_retry_whose_partition_was_lost_holds_nobody_up() -> None:
    stage = Stage()
    headers = History("triage", Failure.OVERLOADED, "busy", 1, NOW, NOW, delivery(0).position).to_headers()
    stage.admission.admit(stage.shares.take([delivery(0, key=b"a", topic=TOPICS.retries[0], headers=headers)]))
    stage.admission.admit(taken(stage.shares, [b"a"], start=1))
    stage.shares.drop([(TOPICS.retries[0], 0)])
    stage.admission.dropped()
    await stage.until(lambda: stage.handled == [(b"a", 1)])


async def test_what_waited_for_a_dependency_in_a_lost_partition_gives_its_lane_free() -> None:
    stage = Stage()
    stage.outcomes[b"a"] = Park("model:large", "open", after=60.0)
    stage.admission.admit(taken(stage.shares, [b"a"]))
    await stage.until(lambda: bool(stage.handled))
    stage.shares.drop([(TOPIC, 0)])
    stage.admission.dropped()
    stage.outcomes.clear()
    again = owning(0, topics=TOPICS)
    stage.admission.admit(taken(again, [b"a"]))
    await stage.until(lambda: len(stage.handled) == 2)
