"""What our consumers and producers are told, each line that differs from the default for a measured reason."""

from collections.abc import Mapping
from typing import Any

Properties = dict[str, Any]
"""As librdkafka names them."""

MESSAGE_BYTES = 1_000_000
"""Largest record of an input topic; checked before a transaction begins, since one too large aborts everybody's."""
TRANSACTION_SECONDS = 15.0
"""How old a transaction may become before the broker ends it, and fences its producer."""
DEAD_LETTER_BYTES = 2 * MESSAGE_BYTES
"""Largest record of the topics that keep what came in with our headers beside it."""


SLOW: Properties = {"queued.min.messages": 100, "fetch.message.max.bytes": 262_144}
"""For a stage whose records take long: what is fetched ahead stands in one line, before what a partition that is taken
over later brings."""


def common(kafka: Mapping[str, Any]) -> Properties:
    """For every client; what the user set wins over ours."""
    ours: Properties = {"log_level": 3, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 1000}
    return ours | dict(kafka)


def consumer(kafka: Mapping[str, Any], group: str, protocol: str) -> Properties:
    """For a stage's consumer: progress is committed by the producer, so it commits nothing by itself."""
    return (
        common(kafka)
        | membership(protocol)
        | {
            "group.id": group,
            "enable.auto.commit": False,
            # Also makes committed() wait while an earlier owner's transaction is pending.
            "isolation.level": "read_committed",
            # A missing offset after the first commit is a loss to be told, never a reason to begin again.
            "auto.offset.reset": "error",
            # An input partition is read after its retry partitions: somebody has to say that these were read.
            "enable.partition.eof": True,
            "max.poll.interval.ms": 60_000,
            "queued.min.messages": 2000,
            "queued.max.messages.kbytes": 32_768,
            # The default of 1000 stalls fetching for a second whenever the small queue was full.
            "fetch.queue.backoff.ms": 10,
            "fetch.wait.max.ms": 50,
            "fetch.error.backoff.ms": 50,
        }
    )


def outside(consuming: Mapping[str, Any]) -> Properties:
    """For a client that asks about a consumer's group without being a member of it."""
    ours = consumer({}, "", "consumer") | consumer({}, "", "classic")
    return {name: value for name, value in consuming.items() if name not in ours or name in common({})}


def membership(protocol: str) -> Properties:
    """How the group shares partitions out: always by range, which keeps a partition and its retries together."""
    if protocol == "consumer":
        return {"group.protocol": "consumer", "group.remote.assignor": "range"}
    return {"partition.assignment.strategy": "range", "session.timeout.ms": 6000, "heartbeat.interval.ms": 500}


def producer(kafka: Mapping[str, Any]) -> Properties:
    """For every producer."""
    return common(kafka) | {
        "enable.idempotence": True,
        "acks": "all",
        # The partitioner of Java and Go: the same key on the same partition whoever writes it.
        "partitioner": "murmur2_random",
        "message.max.bytes": DEAD_LETTER_BYTES + 100_000,
        "compression.type": "lz4",
        "linger.ms": 0,
        "delivery.timeout.ms": 15_000,
        # The next transaction meets CONCURRENT_TRANSACTIONS while markers are written and sleeps this long.
        "retry.backoff.ms": 10,
        "retry.backoff.max.ms": 200,
    }


def transactional(kafka: Mapping[str, Any], transactional_id: str) -> Properties:
    """For a stage's producer."""
    timeout = int(TRANSACTION_SECONDS * 1000)
    return producer(kafka) | {"transactional.id": transactional_id, "transaction.timeout.ms": timeout}
