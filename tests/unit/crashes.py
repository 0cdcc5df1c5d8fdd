"""Shares whose last owners crashed, and commits of what became of them."""

from shared.core.poison import Suspicion
from shared.core.progress import encode, read
from shared.kafka_port import Offset
from shared.runtime.flow.room import Limits
from shared.runtime.flow.shares import Shares
from tests.unit.records import TOPIC, opened


def left(*crashes: int, running: int | None = None) -> list[Offset]:
    """What owners left that crashed once more: one partition for each number of crashes, all at offset 0."""
    told = [Suspicion(True, count - 1, 0, running) if count > 1 else Suspicion(True) for count in crashes]
    return [Offset(TOPIC, number, 0, encode(0, -1, [], one)) for number, one in enumerate(told)]


def after(*crashes: int, in_flight: int = 16, running: int | None = None) -> Shares:
    """The shares of the next owner, opened."""
    shares = Shares(Limits(in_flight=in_flight))
    shares.add(left(*crashes, running=running))
    return opened(shares)


def commit(shares: Shares) -> list[Suspicion]:
    """What a commit tells of crashes, once it is through."""
    ours, told = shares.complete(shares.await_finished(0, 1000))
    shares.committed(ours, told)
    return [read(one.offset.offset, one.offset.metadata)[2] for one in told]
