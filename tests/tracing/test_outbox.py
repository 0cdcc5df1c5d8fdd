"""A receiver of spans that is away, broken, slow or hangs costs spans, and nothing else."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from infra.local.parts.ports import free_port
from shared.observe.tracing.otlp import OtlpExporter, address_of
from shared.observe.tracing.outbox import DROPPED, LOST, SENT, Outbox, OutboxPolicy
from shared.observe.tracing.spans import Kind, Span
from tests.tracing.receiver import Receiver, receiving

PATIENT = 10.0
SERVICE = {"service.name": "tickets.triage"}


class Counting:
    """What became of spans."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, end: str, spans: int) -> None:
        with self._lock:
            self.ends[end] += spans

    def wait_for(self, end: str, spans: int) -> None:
        until(lambda: self.ends[end] >= spans)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def span(number: int, **changed: object) -> Span:
    said: dict[str, object] = {"penstock.document_id": "t1", "written": ("a", "b"), "cost": 0.5, "many": 2**40}
    return Span("triage", 7, number, 3, 1_000, 2_000, said, Kind.CONSUMER, "corrupt", ((9, 8),))


@contextmanager
def sending(
    url: str, policy: OutboxPolicy | None = None, seconds: float = 5.0, headers: dict[str, str] | None = None
) -> Iterator[tuple[Outbox, Counting]]:
    counting = Counting()
    outbox = Outbox(OtlpExporter(url, headers or {}, seconds, SERVICE), counting, policy or OutboxPolicy(every=0.02))
    outbox.open()
    try:
        yield outbox, counting
    finally:
        outbox.close()


def give(outbox: Outbox, count: int) -> float:
    """Give spans; gives how many seconds the slowest took to be taken."""
    slowest = 0.0
    for number in range(1, count + 1):
        one = span(number)
        began = time.perf_counter()
        outbox.give(one)
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


def test_a_span_arrives_as_it_was_given() -> None:
    with receiving() as receiver, sending(receiver.url, headers={"Authorization": "Basic eA=="}) as (outbox, counting):
        give(outbox, 1)
        counting.wait_for(SENT, 1)
    [one] = receiver.spans
    assert (one.name, one.trace, one.id, one.parent) == ("triage", f"{7:032x}", f"{1:016x}", f"{3:016x}")
    assert (one.links, one.start, one.end) == (((f"{9:032x}", f"{8:016x}"),), 1_000, 2_000)
    assert (one.failed, one.kind, one.service) == (True, 5, "tickets.triage")
    assert one.said["written"] == ["a", "b"]
    assert (one.said["cost"], one.said["many"]) == (0.5, 2**40)
    assert receiver.headers["authorization"] == "Basic eA=="


def test_the_end_sends_what_is_left() -> None:
    with receiving() as receiver:
        with sending(receiver.url, OutboxPolicy(every=60)) as (outbox, counting):
            give(outbox, 700)
        assert counting.ends == {SENT: 700}
    assert len(receiver.spans) == 700


def away() -> tuple[str, Receiver | None]:
    return f"http://127.0.0.1:{free_port()}", None


@pytest.mark.parametrize("trouble", ["refuses", "hangs", "answers 500", "answers 503", "is no receiver"])
def test_whatever_the_receiver_does_giving_takes_no_time_and_the_end_comes(trouble: str) -> None:
    status = {"hangs": 0, "answers 500": 500, "answers 503": 503, "is no receiver": 404}.get(trouble, 200)
    with receiving(status) as receiver:
        url = f"http://127.0.0.1:{free_port()}" if trouble == "refuses" else receiver.url
        policy = OutboxPolicy(most=1000, batch=100, every=0.02)
        with sending(url, policy, seconds=0.3) as (outbox, counting):
            slowest = give(outbox, 3000)
            counting.wait_for(LOST, 100)
            assert outbox.trouble
            began = time.monotonic()
        ended = time.monotonic() - began
    assert slowest < 0.25
    assert ended < 2.0
    assert counting.ends[SENT] == 0
    assert counting.ends[DROPPED] >= 1000


def test_a_request_that_hangs_is_left_behind_at_the_end() -> None:
    with receiving(0) as receiver:
        with sending(receiver.url, seconds=60) as (outbox, counting):
            give(outbox, 10)
            until(lambda: receiver.requests > 0)
            give(outbox, 5)
            began = time.monotonic()
        assert time.monotonic() - began < 2.0
        assert counting.ends == {DROPPED: 5}


def test_spans_are_sent_again_when_the_receiver_is_back() -> None:
    with receiving(500) as receiver, sending(receiver.url, seconds=1) as (outbox, counting):
        give(outbox, 3)
        counting.wait_for(LOST, 3)
        receiver.status = 200
        give(outbox, 4)
        counting.wait_for(SENT, 4)
        assert outbox.trouble == ""


def test_a_span_that_cannot_be_encoded_costs_its_batch_and_not_the_thread() -> None:
    with receiving() as receiver, sending(receiver.url) as (outbox, counting):
        outbox.give(Span("bad", 1, 2, 0, "yesterday", 2, {}))  # type: ignore[arg-type]
        counting.wait_for(LOST, 1)
        give(outbox, 1)
        counting.wait_for(SENT, 1)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://langfuse.test/api/public/otel", "https://langfuse.test/api/public/otel/v1/traces"),
        ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
    ],
)
def test_an_address_is_a_receivers_or_already_the_one_for_traces(given: str, address: str) -> None:
    assert address_of(given) == address
