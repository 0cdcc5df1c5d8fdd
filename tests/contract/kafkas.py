"""Kafka as the contract suite sees it: the real one with both group protocols, and the one in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import Producer

from shared.core.delivery import Delivery
from shared.kafka import properties
from shared.kafka.admin import TopicPlan, ensure
from shared.kafka.reading import Reader
from shared.kafka.subscription import Subscription
from shared.kafka.transactions import Transactor
from shared.kafka_port import GroupMember, Owner, Record, Transactions
from shared.memory.kafka import MemoryKafka, MemoryTransactions, Transaction
from shared.memory.kafka_member import MemoryMember

PARTITIONS = 4
LARGEST = 1_000_000


class Kafka(Protocol):
    """One Kafka with a group and two topics of the test's own."""

    name: str

    def member(self, owner: Owner) -> GroupMember: ...
    def writer(self, identity: str) -> Transactions: ...
    def publish(self, *records: Record) -> None: ...
    def uncommitted(self, *records: Record) -> AbstractContextManager[None]: ...
    def read(self, topic: str) -> list[Delivery]: ...


@dataclass
class RealKafka:
    """The embedded broker."""

    name: str
    address: str
    protocol: str

    def __post_init__(self) -> None:
        limit = {"max.message.bytes": str(LARGEST)}
        ensure(self._kafka, [TopicPlan(f"{self.name}.{topic}", PARTITIONS, limit) for topic in ("in", "out")])

    @property
    def _kafka(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.address}

    def member(self, owner: Owner) -> GroupMember:
        told = properties.consumer(self._kafka, self.name, self.protocol)
        return Subscription(told, [f"{self.name}.in"], owner)

    def writer(self, identity: str) -> Transactions:
        return Transactor(properties.transactional(self._kafka, f"{self.name}.{identity}"), print)

    def publish(self, *records: Record) -> None:
        with self._producing() as producer:
            self._write(producer, records)
            producer.commit_transaction(30)

    @contextmanager
    def uncommitted(self, *records: Record) -> Iterator[None]:
        with self._producing() as producer:
            self._write(producer, records)
            yield
            producer.abort_transaction(30)

    @contextmanager
    def _producing(self) -> Iterator[Producer]:
        producer = Producer(properties.transactional(self._kafka, f"{self.name}.{uuid.uuid4()}"))
        producer.init_transactions(30)
        producer.begin_transaction()
        yield producer

    def _write(self, producer: Producer, records: Sequence[Record]) -> None:
        for one in records:
            where = {} if one.partition is None else {"partition": one.partition}
            producer.produce(one.topic, one.value, one.key, headers=list(one.headers), **where)
        assert producer.flush(30) == 0

    def read(self, topic: str) -> list[Delivery]:
        return sorted(
            Reader(self._kafka).read([topic]), key=lambda each: (each.position.partition, each.position.offset)
        )


@dataclass
class InMemory:
    """The one in memory."""

    name: str
    broker: MemoryKafka = field(init=False)

    def __post_init__(self) -> None:
        self.broker = MemoryKafka({f"{self.name}.in": PARTITIONS, f"{self.name}.out": PARTITIONS}, LARGEST)

    def member(self, owner: Owner) -> GroupMember:
        return MemoryMember(self.broker, self.name, [f"{self.name}.in"], owner)

    def writer(self, identity: str) -> Transactions:
        return MemoryTransactions(self.broker, identity)

    def publish(self, *records: Record) -> None:
        self.broker.publish(*records)

    @contextmanager
    def uncommitted(self, *records: Record) -> Iterator[None]:
        transaction = Transaction()
        for record in records:
            self.broker.append(record, transaction)
        yield
        self.broker.end(transaction, committed=False)

    def read(self, topic: str) -> list[Delivery]:
        return self.broker.read(topic)
