"""Calls of the Kafka client: the same again while it may succeed, and none for ever.

Some calls can hang after a broker outage whatever their timeout (`send_offsets_to_transaction` does, after about every
second kill of a broker). Nothing can end such a call. Where another client can take its place it is left behind on a
thread of its own; where none can, somebody watches `since` and ends the process.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

PASSING = frozenset(
    (
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._WAIT_COORD,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        # A group can hand out a partition of a new topic before its member has heard of that topic. The broker's own
        # word for it, UNKNOWN_TOPIC_OR_PART, is not here: where a topic was deleted, it never passes.
        KafkaError._UNKNOWN_PARTITION,
    )
)
"""What passes by itself; librdkafka marks only transactional errors as retriable."""


THREAD = "kafka call"
"""Name of a thread on which a call runs that may be left behind."""


class Hung(Exception):
    """A call did not return long after its own timeout; the thread it runs on is left behind."""


class Calls:
    """Calls of one client, one at a time, and since when the running one runs."""

    since: float | None = None
    """Monotonic time; None where none runs."""

    def repeat(self, call: Callable[[], T], seconds: float) -> T:
        """Call again while the very same call may succeed. Raises the last KafkaException."""
        return repeat(lambda: self.once(call), seconds)

    def once(self, call: Callable[[], T]) -> T:
        """Call, watched."""
        self.since = time.monotonic()
        try:
            return call()
        finally:
            self.since = None


def repeat(call: Callable[[], T], seconds: float) -> T:
    """Call again while Kafka says that the very same call may succeed. Raises the last KafkaException."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except KafkaException as error:
            if not passes(error.args[0]) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def passes(error: KafkaError) -> bool:
    """Whether the very same call may succeed later. Whatever its code: where an abort is asked for, it never will."""
    if error.txn_requires_abort() or error.fatal():
        return False
    return bool(error.retriable()) or error.code() in PASSING


def leaving_behind(call: Callable[[], T], seconds: float) -> T:
    """Call on a thread of its own. Raises Hung where it does not return in time: whatever it still does is its own.

    No pool: the interpreter would wait for its threads at its end.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:  # noqa: BLE001  a thread has no caller: the one that waits raises it
            result.set_exception(error)

    threading.Thread(target=run, name=THREAD, daemon=True).start()
    try:
        return result.result(seconds)
    except StillRunning:
        if result.done():
            raise
        raise Hung(f"a call of the Kafka client did not return within {seconds:.0f} s") from None


def left_behind() -> int:
    """How many calls of this process have been left behind and still run; most return once the broker is back."""
    return sum(thread.name == THREAD for thread in threading.enumerate())
