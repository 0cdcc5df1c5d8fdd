"""Deliveries, shares and tickets for unit tests: what a poll would have brought, without a Kafka."""

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.core import poison
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.headers import Headers
from shared.core.topics import StageTopics
from shared.kafka_port import Offset
from shared.runtime.flow.room import Limits
from shared.runtime.flow.share import Taken
from shared.runtime.flow.shares import Shares
from tests.pipeline.tiny.events import TicketOpened

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TOPIC = "tickets.ingest"


def delivery(
    offset: int = 0,
    *,
    key: bytes | None = b"t1",
    value: bytes | None = b"bytes",
    headers: Headers = (),
    topic: str = TOPIC,
    partition: int = 0,
) -> Delivery:
    """One record as Kafka would deliver it."""
    return Delivery(Position(topic, partition, offset), key, value, headers, NOW)


def ticket(subject: str = "printer", document_id: str = "t1") -> TicketOpened:
    """A ticket."""
    return TicketOpened(document_id=document_id, subject=subject, opened_at=NOW)


def owning(*partitions: int, topics: StageTopics | None = None, limits: Limits | None = None) -> Shares:
    """Shares of a process that got these partitions of all it consumes, and has told that it works on them."""
    shares = Shares(limits, topics)
    names = topics.consumed if topics else (TOPIC,)
    shares.add([Offset(name, partition, 0, "") for partition in partitions for name in names])
    return opened(shares)


def opened(shares: Shares) -> Shares:
    """The same, with the commit through that opens all its partitions."""
    for topic, partition in shares.owned():
        share = shares._shares[topic, partition]
        share.suspicion = share.wanted = poison.opened(share.suspicion)
    return shares


def taken(
    shares: Shares, keys: Iterable[bytes | None], *, partition: int = 0, start: int = 0, topic: str = TOPIC
) -> list[Taken]:
    """Records with these keys, taken up one after the other."""
    return shares.take(delivery(n, key=key, topic=topic, partition=partition) for n, key in enumerate(keys, start))
