"""What is counted of a running service: records and transactions as they pass, states when somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shared.core.context import Answer, Call, Models, Prompt
from shared.core.delivery import Delivery
from shared.core.errors import PenstockError
from shared.observe.metrics import Metrics
from shared.ports import BreakerReport
from shared.runtime.shares import Shares

M = TypeVar("M")


class KnowsBreakers(Protocol):
    """Can tell the state of all breakers."""

    async def reports(self) -> Sequence[BreakerReport]: ...


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """Counts what the engine does."""

    metrics: Metrics
    """Where it is counted."""
    shares: Shares
    """What the process holds."""
    breakers: KnowsBreakers | None
    """The breakers, where the stage asks models."""

    def took(self, deliveries: Sequence[Delivery]) -> None:
        """These came from Kafka."""
        for delivery in deliveries:
            self.metrics.taken(delivery.position.topic).inc()

    def committed(self, records: int, seconds: float) -> None:
        """A transaction with the results of so many records is through."""
        self.metrics.batch.observe(records)
        self.metrics.transaction_seconds.observe(seconds)

    async def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        held = self.shares.count(lambda share: share.progress.incomplete)
        self.metrics.in_flight.set(held)
        if self.breakers:
            self.metrics.breakers({report.name: report.state for report in await self.breakers.reports()})
        return self.metrics.exposition()


@dataclass(frozen=True, slots=True)
class CountedModels:
    """Models whose every request is counted, also where nothing came of it. Implements `Models`."""

    models: Models
    """The models."""
    metrics: Metrics
    """Where they are counted."""

    async def ask(self, chain: str, prompt: Prompt, schema: type[M]) -> Answer[M]:
        """See `Models.ask`."""
        try:
            answer = await self.models.ask(chain, prompt, schema)
        except PenstockError as error:
            self._count(getattr(error, "calls", ()))
            raise
        self._count(answer.calls)
        return answer

    def _count(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self.metrics.call(call)
