"""A process whose Kafka client hangs: `python -m tests.unit.hanging`; the watchdog must end it."""

import asyncio
import threading
import time
from collections.abc import Sequence

from shared.core.delivery import Delivery
from shared.core.settle import Place, Settled
from shared.kafka_port import Group, Offset, Record
from shared.memory.kafka import MemoryKafka, MemoryTransactions
from shared.memory.kafka_member import MemoryMember
from shared.runtime.assembly import utc_now
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.runners import Inline, Tasks
from shared.runtime.flow.shares import Shares
from shared.runtime.process import Life
from shared.runtime.stage_service import watch
from shared.settings import Settings
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE


class Hanging(MemoryTransactions):
    """A writer whose first transaction never ends."""

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """Wait for what never comes."""
        self.since = time.monotonic()
        threading.Event().wait()
        return frozenset()


class Unwatched:
    """Counts nothing."""

    def took(self, deliveries: Sequence[Delivery]) -> None: ...

    def committed(self, records: int, seconds: float) -> None: ...


async def main() -> None:
    """Work on one record until the watchdog bites."""
    kafka, shares = MemoryKafka({"in": 1}), Shares()
    kafka.publish(Record("in", b"k", b"v", (), 0))
    life = Life("hanging", Settings(), "hanging-1")
    tasks, place = Tasks(life.fail), Place(TICKETS, TRIAGE)
    admission = Admission(
        place,
        shares,
        lambda taken, settled: (),
        utc_now,
        lambda desk: Inline(desk, shares, tasks, lambda _: Settled()),
    )
    engine = Engine(EnginePolicy(hang_seconds=0.2), shares, Hanging(kafka, "one"), admission, Unwatched())
    engine.start(lambda owner: MemoryMember(kafka, "group", ["in"], owner), life.fail)
    await watch(engine, life)


if __name__ == "__main__":
    asyncio.run(main())
