"""The metrics of a service, made from their dictionary in `shared.observe.names`, and what counts them.

A refusal for the pace is counted like any other end of a call: `penstock_model_calls_total{outcome="rate_limited"}`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.core.context import Call
from shared.core.delivery import Delivery
from shared.core.ledger import Recorded, State
from shared.core.outcome import Outcome
from shared.limit_port import LimitReport
from shared.observe import names
from shared.observe.bounded import Bounded
from shared.observe.logs import logger
from shared.observe.names import Metric
from shared.observe.saying import sayable, told
from shared.ports import BreakerState

BREAKER_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
"""A breaker's state as a number: the worse, the higher."""

Figures = tuple[float, float, float, int]
"""What calls have cost: US dollars, of these failed and unsure ones, and the number of unsure calls."""
NOTHING: Figures = (0.0, 0.0, 0.0, 0)

log = logger("stage")


class Metrics:
    """The metrics of one service, in a registry of their own: nothing is shared between services or tests.

    Those with labels of their own are called with them: `metrics.taken("documents.ingest").inc()`.
    """

    def __init__(self, pipeline: str, stage: str) -> None:
        self._registry = CollectorRegistry()
        self._where = {"pipeline": pipeline, "stage": stage}
        self._types, self._models, self._prompts = Bounded(), Bounded(), Bounded()
        self._settled: dict[tuple[str, str, str, bool], tuple[Counter, Histogram, Counter | None]] = {}
        self._of_records()
        self._of_the_engine()
        self._of_models()
        self._of_limits()
        self._of_the_ledger()
        self._of_the_journal()
        self._of_traces()
        self._of_webhooks()

    def _of_records(self) -> None:
        self.taken = self._counter(names.TAKEN)
        self.settled = self._counter(names.SETTLED)
        self.operations = self._counter(names.OPERATIONS)
        self.attempts = self._histogram(names.ATTEMPTS)()
        self.handler_seconds = self._histogram(names.HANDLER_SECONDS)
        self.in_flight = self._gauge(names.IN_FLIGHT)()
        self.waiting = self._gauge(names.WAITING)()
        self.retry_waiting = self._gauge(names.RETRY_WAITING)()
        self.parked = self._gauge(names.PARKED)
        self.oldest = self._gauge(names.OLDEST)()
        self.span = self._gauge(names.SPAN)()
        self.lag = self._gauge(names.LAG)
        self.lag_seconds = self._gauge(names.LAG_SECONDS)
        self._lagging: dict[tuple[str, int], tuple[Gauge, Gauge]] = {}

    def _of_the_engine(self) -> None:
        self.paused = self._gauge(names.PAUSED)()
        self.window = self._gauge(names.WINDOW)()
        self.suspected = self._gauge(names.SUSPECTED)()
        self.batch = self._histogram(names.BATCH)()
        self.transaction_seconds = self._histogram(names.TRANSACTION_SECONDS)()
        self.producer_restarts = self._counter(names.PRODUCER_RESTARTS)()
        self.troubles = self._counter(names.TROUBLES)()

    def _of_models(self) -> None:
        self.breaker_state = self._gauge(names.BREAKER_STATE)
        self.model_calls = self._counter(names.MODEL_CALLS)
        self.model_questions = self._counter(names.MODEL_QUESTIONS)
        self.model_seconds = self._histogram(names.MODEL_SECONDS)
        self.model_tokens = self._counter(names.MODEL_TOKENS)
        self.model_tokens_apart = self._counter(names.MODEL_TOKENS_APART)
        self.model_cost = self._counter(names.MODEL_COST)
        self.model_failed = self._counter(names.MODEL_FAILED)
        self.model_unsure = self._counter(names.MODEL_UNSURE)
        self.tenant_cost = self._counter(names.TENANT_COST)

    def _of_limits(self) -> None:
        self.limit_most = self._gauge(names.LIMIT_MOST)
        self.limit_reserved = self._gauge(names.LIMIT_RESERVED)
        self.limit_used = self._gauge(names.LIMIT_USED)
        self.limit_share = self._gauge(names.LIMIT_SHARE)
        self.limit_waiting = self._gauge(names.LIMIT_WAITING)
        self.limit_wait_seconds = self._histogram(names.LIMIT_WAIT_SECONDS)
        self.limit_refused = self._counter(names.LIMIT_REFUSED)
        self.limit_holds = self._counter(names.LIMIT_HOLDS)

    def _of_the_ledger(self) -> None:
        self.calls_repeated = self._counter(names.CALLS_REPEATED)()
        self.calls_reused = self._counter(names.CALLS_REUSED)
        self.ledger_batch = self._histogram(names.LEDGER_BATCH)
        self.ledger_seconds = self._histogram(names.LEDGER_SECONDS)
        self.spool_bytes = self._gauge(names.SPOOL_BYTES)()
        self.ledger_cost = self._gauge(names.LEDGER_COST)
        self.ledger_failed = self._gauge(names.LEDGER_FAILED)
        self.ledger_unsure = self._gauge(names.LEDGER_UNSURE)
        self.ledger_unsure_calls = self._gauge(names.LEDGER_UNSURE_CALLS)
        self._accounts: frozenset[tuple[str, str]] = frozenset()

    def _of_the_journal(self) -> None:
        # Called where they are used and not here: elsewhere than in the journal they are not even 0.
        self.journal_entries = self._counter(names.JOURNAL_ENTRIES)
        self.journal_seconds = self._histogram(names.JOURNAL_SECONDS)
        self.journal_behind = self._gauge(names.JOURNAL_BEHIND)
        self.documents = self._gauge(names.DOCUMENTS)
        self.stuck = self._gauge(names.STUCK)
        self.audit_findings = self._gauge(names.AUDIT_FINDINGS)
        self.audit_seconds = self._gauge(names.AUDIT_SECONDS)
        self.audited_at = self._gauge(names.AUDITED_AT)
        self.janitor_deleted = self._counter(names.JANITOR_DELETED)
        self.swept_at = self._gauge(names.SWEPT_AT)

    def _of_traces(self) -> None:
        self.spans = self._counter(names.SPANS)

    def _of_webhooks(self) -> None:
        self.webhook_tries = self._counter(names.WEBHOOK_TRIES)
        self.webhook_seconds = self._histogram(names.WEBHOOK_SECONDS)
        self.webhook_waiting = self._gauge(names.WEBHOOK_WAITING)
        self.webhook_given_up = self._gauge(names.WEBHOOK_GIVEN_UP)
        self.webhook_oldest = self._gauge(names.WEBHOOK_OLDEST)
        self.notify_behind = self._gauge(names.NOTIFY_BEHIND)

    def observe(
        self, delivery: Delivery, outcome: Outcome[Any], seconds: float, document_type: str = "", *, final: bool = False
    ) -> None:
        """A record was decided: count it, and log it where it failed or waits. `final`: it has left the stage."""
        kind, failure, said, level = told(outcome)
        key = kind, failure, self._types.of(document_type), final
        # Kept, because finding a child by its labels takes longer than counting with it.
        if (found := self._settled.get(key)) is None:
            found = self._settled[key] = self._children(*key)
        found[0].inc()
        found[1].observe(seconds)
        if found[2] is not None:
            found[2].inc()
        self.attempts.observe(delivery.attempt)
        if level:
            log.log(
                level,
                kind,
                document_id=None if delivery.key is None else delivery.key.decode("utf-8", "backslashreplace"),
                position=str(delivery.position),
                attempt=delivery.attempt,
                failure=failure,
                message=sayable(kind, failure, said),
            )

    def _children(
        self, kind: str, failure: str, document_type: str, final: bool
    ) -> tuple[Counter, Histogram, Counter | None]:
        # A failure that is not tried again is a dead letter, whatever the handler had hoped for.
        ended = "dead_letter" if kind == "retry" else kind
        return (
            self.settled(kind, failure, document_type),
            self.handler_seconds(kind, document_type),
            self.operations(ended, failure, document_type) if final else None,
        )

    def call(self, call: Call, document_type: str = "") -> None:
        """A request to a model ended."""
        model, prompt = self._models.of(call.model), self._prompts.of(call.prompt)
        self.model_calls(model, prompt, self._types.of(document_type), call.outcome).inc()
        if call.made:
            self.model_seconds(model, prompt).observe(call.milliseconds / 1000)

    def question(self, task: str, document_type: str, outcome: str) -> None:
        """A question to a chain ended, however many calls it took."""
        self.model_questions(self._prompts.of(task), self._types.of(document_type), outcome).inc()

    def paid(self, record: Recorded) -> None:
        """A call is recorded, and is paid: told once for each, so that it adds up to what the ledger has."""
        model = self._models.of(record.intent.model)
        self.model_tokens(model, "input").inc(record.input_tokens)
        self.model_tokens(model, "output").inc(record.output_tokens)
        failed = record.state is not State.ACCEPTED
        for part, count in (
            ("cached", record.cached_tokens),
            ("written", record.written_tokens),
            ("reasoning", record.reasoning_tokens),
            ("failed", (record.input_tokens + record.output_tokens) if failed else 0),
        ):
            if count:
                self.model_tokens_apart(model, part).inc(count)
        self.model_cost(model).inc(record.cost_usd)
        self.model_failed(model).inc(record.cost_usd if failed else 0.0)
        self.model_unsure(model).inc(record.cost_usd if record.unsure else 0.0)

    def accounts(self, lines: Iterable[tuple[str, str, Figures]]) -> None:
        """All that the ledger has of models and types of documents; a line that was there and is not any more is 0."""
        # A line goes when the type of its last document becomes known: the same calls are on another line then.
        sums: dict[tuple[str, str], Figures] = dict.fromkeys(self._accounts, NOTHING)
        for model, document_type, figures in lines:
            where = self._models.of(model), self._types.of(document_type)
            cost, failed, unsure, calls = sums.get(where, NOTHING)
            sums[where] = cost + figures[0], failed + figures[1], unsure + figures[2], calls + figures[3]
        gauges = (self.ledger_cost, self.ledger_failed, self.ledger_unsure, self.ledger_unsure_calls)
        for where, figures in sums.items():
            for gauge, figure in zip(gauges, figures, strict=True):
                gauge(*where).set(figure)
        self._accounts = frozenset(sums)

    def lags(self, found: Mapping[tuple[str, int], tuple[int, float]]) -> None:
        """How far behind each partition is that is ours, in records and seconds; of the others others tell."""
        for key in self._lagging.keys() - found.keys():
            # Not taken away: a series that ends looks, for five minutes, like the last that it said.
            for gauge in self._lagging.pop(key):
                gauge.set(0)
        for key, figures in found.items():
            if (gauges := self._lagging.get(key)) is None:
                where = key[0], str(key[1])
                gauges = self._lagging[key] = self.lag(*where), self.lag_seconds(*where)
            for gauge, figure in zip(gauges, figures, strict=True):
                gauge.set(figure)

    def limits(self, reports: Sequence[LimitReport]) -> None:
        """How the limits stand in this process."""
        for report in reports:
            shares = [0.0]
            for which, kind in enumerate(("requests", "tokens")):
                if (most := report.most[which]) > 0:
                    self.limit_most(report.name, kind).set(most)
                    self.limit_reserved(report.name, kind).set(report.reserved[which])
                    self.limit_used(report.name, kind).set(report.used[which])
                    shares.append((report.reserved[which] + report.used[which]) / most)
            self.limit_share(report.name).set(max(shares))
            self.limit_waiting(report.name).set(report.waiting)

    def breakers(self, states: Mapping[str, BreakerState]) -> None:
        """The states of all breakers, as this process sees them."""
        for name, state in states.items():
            self.breaker_state(name).set(BREAKER_STATES[state])

    def trouble(self, said: str) -> None:
        """Something out of the ordinary happened in the engine."""
        self.troubles.inc()
        log.warning("trouble", said=said)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, metric: Metric) -> Callable[..., Counter]:
        made = Counter(metric.name, metric.text, self._labels(metric), registry=self._registry)
        return partial(made.labels, *self._where.values())

    def _gauge(self, metric: Metric) -> Callable[..., Gauge]:
        made = Gauge(metric.name, metric.text, self._labels(metric), registry=self._registry)
        return partial(made.labels, *self._where.values())

    def _histogram(self, metric: Metric) -> Callable[..., Histogram]:
        labels = self._labels(metric)
        made = Histogram(metric.name, metric.text, labels, registry=self._registry, buckets=metric.buckets)
        return partial(made.labels, *self._where.values())

    def _labels(self, metric: Metric) -> tuple[str, ...]:
        return (*self._where, *metric.labels)
