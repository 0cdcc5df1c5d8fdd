"""What is counted of a running service: records and transactions as they pass, states when somebody asks."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from shared.core.breaker import PAUSES
from shared.core.context import Answer, Call, Models, Outlook, Prompt
from shared.core.delivery import Delivery
from shared.core.errors import PenstockError, Unavailable
from shared.core.ledger import Intent, Recorded
from shared.limit_port import LimitReport, Limits, Reserved, Turn, Used
from shared.observe.bounded import OTHER
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.ports import BreakerReport
from shared.runtime.flow.shares import Shares

M = TypeVar("M")

log = logger("ledger")


class KnowsBreakers(Protocol):
    """Can tell the state of all breakers."""

    async def reports(self) -> Sequence[BreakerReport]: ...


class KnowsLimits(Protocol):
    """Can tell how the limits stand."""

    def reports(self) -> Sequence[LimitReport]: ...


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """Counts what the engine does."""

    metrics: Metrics
    """Where it is counted."""
    shares: Shares
    """What the process holds."""
    breakers: KnowsBreakers | None
    """The breakers, where a registry is known."""
    limits: KnowsLimits | None = None
    """The models' limits, where the stage asks models."""

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
        if self.limits:
            self.metrics.limits(self.limits.reports())
        return self.metrics.exposition()


@dataclass(frozen=True, slots=True)
class CountedModels:
    """Models whose every request is counted, also where nothing came of it. Implements `Models`."""

    models: Models
    """The models."""
    metrics: Metrics
    """Where they are counted."""
    tenant: str = OTHER
    """On whose account, where the settings name who that is."""

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        """See `Models.outlook`."""
        return self.models.outlook(chain, prompt, schema, besides=besides)

    async def ask(self, chain: str, prompt: Prompt, schema: type[M], *, besides: Collection[str] = ()) -> Answer[M]:
        """See `Models.ask`."""
        try:
            answer = await self.models.ask(chain, prompt, schema, besides=besides)
        except PenstockError as error:
            self._count(prompt, getattr(error, "calls", ()), "waits" if isinstance(error, Unavailable) else "failed")
            raise
        self._count(prompt, answer.calls, "ok")
        return answer

    def _count(self, prompt: Prompt, calls: Sequence[Call], outcome: str) -> None:
        self.metrics.question(prompt.task, prompt.document_type, outcome)
        for call in calls:
            self.metrics.call(call, prompt.document_type)
            if call.made:
                self.metrics.tenant_cost(self.tenant).inc(call.cost_usd)


@dataclass(frozen=True, slots=True)
class CountedLimits:
    """Limits whose waits are counted. Implements `Limits`."""

    limits: Limits
    """The limits."""
    metrics: Metrics
    """Where they are counted."""

    async def reserve(self, turn: Turn) -> Reserved:
        """See `Limits.reserve`."""
        began = time.monotonic()
        reserved = await self.limits.reserve(turn)
        self.metrics.limit_wait_seconds(turn.limit).observe(time.monotonic() - began)
        if reserved.after is not None:
            self.metrics.limit_refused(turn.limit).inc()
        return reserved

    def settle(self, reserved: Reserved, used: Used | None) -> None:
        """See `Limits.settle`."""
        self.limits.settle(reserved, used)

    def hold(self, turn: Turn, seconds: float) -> None:
        """See `Limits.hold`."""
        self.metrics.limit_holds(turn.limit).inc()
        self.limits.hold(turn, seconds)


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

    def ended(self, record: Recorded) -> None:
        """A result is kept; steps of handlers cost nothing, and have no model."""
        if record.intent.model:
            self.metrics.paid(record)

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
