"""What is counted of a running service: records and transactions as they pass, states when somebody asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from shared.core.breaker import PAUSES
from shared.core.context import Answer, Call, Models, Outlook, Prompt
from shared.core.delivery import Delivery
from shared.core.errors import PenstockError
from shared.core.ledger import Intent, Recorded
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.ports import BreakerReport
from shared.runtime.flow.shares import Shares

M = TypeVar("M")

log = logger("ledger")


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
    """The breakers, where a registry is known."""

    def took(self, deliveries: Sequence[Delivery]) -> None:
        """These came from Kafka."""
        for delivery in deliveries:
            self.metrics.taken(delivery.position.topic).inc()

    def committed(self, records: int, seconds: float) -> None:
        """A transaction with the results of so many records is through."""
        self.metrics.batch.observe(records)
        self.metrics.transaction_seconds.observe(seconds)

    async def exposition(self, waiting: Mapping[str, int]) -> bytes:
        """Everything, in Prometheus' text format; `waiting` is how many records wait for which dependency."""
        standing, metrics = self.shares.standing(), self.metrics
        metrics.in_flight.set(standing.held)
        metrics.waiting.set(standing.waiting)
        metrics.retry_waiting.set(standing.in_retry)
        for dependency, count in waiting.items():
            metrics.parked(dependency).set(count)
        metrics.paused.set(standing.paused)
        metrics.window.set(standing.window)
        metrics.suspected.set(standing.suspected)
        metrics.span.set(standing.span)
        metrics.oldest.set((datetime.now(UTC) - standing.oldest).total_seconds() if standing.oldest else 0)
        if self.breakers:
            self.metrics.breakers(
                {
                    report.name: report.state
                    for report in await self.breakers.reports()
                    if not report.name.startswith(PAUSES)
                }
            )
        return self.metrics.exposition()


@dataclass(frozen=True, slots=True)
class CountedModels:
    """Models whose every request is counted, also where nothing came of it. Implements `Models`."""

    models: Models
    """The models."""
    metrics: Metrics
    """Where they are counted."""

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        """See `Models.outlook`."""
        return self.models.outlook(chain, prompt, schema, besides=besides)

    async def ask(self, chain: str, prompt: Prompt, schema: type[M], *, besides: Collection[str] = ()) -> Answer[M]:
        """See `Models.ask`."""
        try:
            answer = await self.models.ask(chain, prompt, schema, besides=besides)
        except PenstockError as error:
            self._count(getattr(error, "calls", ()))
            raise
        self._count(answer.calls)
        return answer

    def _count(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self.metrics.call(call)


@dataclass(frozen=True, slots=True)
class LedgerMetrics:
    """Counts and tells what the call ledger does."""

    metrics: Metrics
    """Where it is counted."""

    def repeated(self, intent: Intent) -> None:
        """The call is made once more, because an earlier try has no end that anybody knows."""
        self.metrics.calls_repeated.inc()
        log.warning(
            "call repeated",
            document_id=intent.scope.document_id,
            task=intent.task,
            model=intent.model,
            operation=intent.scope.operation,
            fingerprint=intent.fingerprint,
        )

    def reused(self, record: Recorded) -> None:
        """A recorded result took the place of a call."""
        self.metrics.calls_reused(record.state.value).inc()

    def gathered(self, kind: str, calls: int, seconds: float) -> None:
        """A batch of `begin` or `end` is committed."""
        self.metrics.ledger_batch(kind).observe(calls)
        self.metrics.ledger_seconds(kind).observe(seconds)

    def spooled(self, size: int) -> None:
        """The spool has so many bytes now."""
        self.metrics.spool_bytes.set(size)

    def trouble(self, said: str) -> None:
        """Something out of the ordinary happened."""
        self.metrics.trouble(said)
