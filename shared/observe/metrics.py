"""Every metric of a process: each name once, typed, with what it counts.

Labels `pipeline` and `stage` are the same on all of them. None has a document, a tenant or a message for a label: what
has no end makes a metric useless. Only tenants whom the settings name are told apart. A refusal for the pace is counted
like any other end of a call, under `penstock_model_calls_total{outcome="rate_limited"}`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.core.context import Call
from shared.core.delivery import Delivery
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.limit_port import LimitReport
from shared.observe.logs import logger
from shared.ports import BreakerState

HANDLER = (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
"""From a rule in line to a model that thinks."""
TRANSACTION = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)
"""From an idle broker to the end of a transaction's patience."""
WAITS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 6.0, 12.0)
"""From one exchange with the registry to twice the patience of a call."""
COUNTS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""Sizes of batches."""
BREAKER_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
"""A breaker's state as a number: the worse, the higher."""

log = logger("stage")


class Metrics:
    """The metrics of one service, in a registry of their own: nothing is shared between services or tests.

    Those with labels of their own are called with them: `metrics.taken("documents.ingest").inc()`.
    """

    def __init__(self, pipeline: str, stage: str) -> None:
        self._registry = CollectorRegistry()
        self._where = {"pipeline": pipeline, "stage": stage}
        self._settled: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._of_records()
        self._of_the_engine()
        self._of_dependencies()
        self._of_limits()
        self._of_the_ledger()
        self._of_the_journal()

    def _of_records(self) -> None:
        self.taken = self._counter(
            "penstock_records_taken_total", "Records taken from Kafka, repeats included.", "topic"
        )
        self.settled = self._counter(
            "penstock_records_settled_total", "Records decided; failure is empty where none.", "outcome", "failure"
        )
        self.attempts = self._histogram("penstock_record_attempts", "Attempt at which records were decided.", COUNTS)()
        self.handler_seconds = self._histogram(
            "penstock_handler_seconds", "Seconds in the handler; of a batch, the whole batch's.", HANDLER, "outcome"
        )
        self.in_flight = self._gauge("penstock_records_in_flight", "Records taken and not yet committed.")()
        self.waiting = self._gauge("penstock_records_waiting", "Records held that wait, for whatever it is.")()
        self.retry_waiting = self._gauge(
            "penstock_records_retry_waiting", "Records held that came from a retry topic."
        )()
        self.parked = self._gauge("penstock_records_parked", "Records held that wait for a dependency.", "dependency")
        self.oldest = self._gauge(
            "penstock_oldest_record_seconds", "Seconds since Kafka got the oldest unfinished record; 0 where none is."
        )()
        self.span = self._gauge(
            "penstock_low_watermark_records", "Offsets fetched beyond the low watermark, of the partition with most."
        )()
        self.lag = self._gauge("penstock_lag_records", "Records from progress to the end.", "topic", "partition")

    def _of_the_engine(self) -> None:
        self.paused = self._gauge("penstock_paused", "1 while an operator has the stage paused.")()
        self.window = self._gauge("penstock_window_records", "Slow records that may run at once; less after crashes.")()
        self.suspected = self._gauge(
            "penstock_suspected_partitions", "Partitions in which a record that kills its process is looked for."
        )()
        self.batch = self._histogram("penstock_batch_records", "Records committed in one transaction.", COUNTS)()
        self.transaction_seconds = self._histogram(
            "penstock_transaction_seconds", "Seconds from begin to the end of commit.", TRANSACTION
        )()
        self.producer_restarts = self._counter(
            "penstock_producer_restarts_total", "Producers made anew after errors."
        )()
        self.troubles = self._counter("penstock_troubles_total", "Unusual events of the engine; each is in the log.")()

    def _of_dependencies(self) -> None:
        self.breaker_state = self._gauge(
            "penstock_breaker_state", "Breaker as seen from here: 0 closed, 1 half-open, 2 open.", "breaker"
        )
        self.model_calls = self._counter(
            "penstock_model_calls_total", "Requests to models; outcome is ok or the failure class.", "model", "outcome"
        )
        self.model_tokens = self._counter(
            "penstock_model_tokens_total", "Tokens as providers count; direction: input, output.", "model", "direction"
        )
        self.model_cost = self._counter("penstock_model_cost_usd_total", "US dollars by the price list.", "model")
        self.model_seconds = self._histogram(
            "penstock_model_seconds", "Seconds from request to the last byte.", HANDLER, "model"
        )

    def _of_limits(self) -> None:
        self.limit_most = self._gauge(
            "penstock_limit_most", "What all processes may use in a window; kind: requests, tokens.", "limit", "kind"
        )
        self.limit_reserved = self._gauge(
            "penstock_limit_reserved",
            "What calls in flight here have reserved; kind: requests, tokens.",
            "limit",
            "kind",
        )
        self.limit_used = self._gauge(
            "penstock_limit_used",
            "What calls from here used in the last window; kind: requests, tokens.",
            "limit",
            "kind",
        )
        self.limit_share = self._gauge(
            "penstock_limit_share", "Part of the limit used and reserved from here; sum it over processes.", "limit"
        )
        self.limit_waiting = self._gauge("penstock_limit_waiting", "Calls here that wait for room.", "limit")
        self.limit_wait_seconds = self._histogram(
            "penstock_limit_wait_seconds", "Seconds until a call had room, or was told to come later.", WAITS, "limit"
        )
        self.limit_refused = self._counter(
            "penstock_limit_refused_total", "Calls that the limit told to come later.", "limit"
        )
        self.limit_holds = self._counter(
            "penstock_limit_holds_total", "Times a provider's word kept all processes from calling.", "limit"
        )
        self.tenant_cost = self._counter(
            "penstock_tenant_cost_usd_total",
            "US dollars spent; tenants without a budget of their own are `other`.",
            "tenant",
        )

    def _of_the_ledger(self) -> None:
        self.calls_repeated = self._counter(
            "penstock_calls_repeated_total", "Calls made again, because an earlier try has no recorded end."
        )()
        self.calls_reused = self._counter(
            "penstock_calls_reused_total", "Recorded results that took the place of a call; state as recorded.", "state"
        )
        self.ledger_batch = self._histogram(
            "penstock_ledger_batch_calls", "Calls of one statement; kind: begin, end.", COUNTS, "kind"
        )
        self.ledger_seconds = self._histogram(
            "penstock_ledger_batch_seconds", "Seconds of one statement; kind: begin, end.", TRANSACTION, "kind"
        )
        self.spool_bytes = self._gauge("penstock_spool_bytes", "Size of the spool; 0 while PostgreSQL is there.")()

    def _of_the_journal(self) -> None:
        # Called where they are used and not here: elsewhere than in the journal they are not even 0.
        self.journal_entries = self._counter("penstock_journal_entries_total", "Records put into the journal.")
        self.journal_seconds = self._histogram(
            "penstock_journal_batch_seconds", "Seconds from a batch of records to its commit.", TRANSACTION
        )
        self.journal_behind = self._gauge(
            "penstock_journal_behind_seconds", "Age of the newest record when it was put into the journal."
        )
        self.documents = self._gauge("penstock_documents", "Documents by state, as the journal knows them.", "state")
        self.audit_findings = self._gauge(
            "penstock_audit_findings",
            "What the last audit found; kind: missing, doubled, unexplained, deleted.",
            "kind",
        )
        self.audit_seconds = self._gauge("penstock_audit_seconds", "Seconds that the last audit took.")
        self.audited_at = self._gauge("penstock_audit_timestamp_seconds", "When the last audit ended, UNIX time.")
        self.janitor_deleted = self._counter("penstock_janitor_deleted_total", "Offsets that the janitor has deleted.")
        self.swept_at = self._gauge(
            "penstock_janitor_timestamp_seconds", "When the janitor last came to an end, UNIX time."
        )

    def observe(self, delivery: Delivery, outcome: Outcome[Any], seconds: float) -> None:
        """A record was decided: count it, and log it where it failed or waits."""
        kind, failure, said, level = _told(outcome)
        # Kept, because finding a child by its labels takes longer than counting with it.
        if (found := self._settled.get((kind, failure))) is None:
            found = self._settled[kind, failure] = self.settled(kind, failure), self.handler_seconds(kind)
        found[0].inc()
        found[1].observe(seconds)
        self.attempts.observe(delivery.attempt)
        if level:
            log.log(
                level,
                kind,
                document_id=None if delivery.key is None else delivery.key.decode("utf-8", "backslashreplace"),
                position=str(delivery.position),
                attempt=delivery.attempt,
                failure=failure,
                message=said,
            )

    def call(self, call: Call) -> None:
        """A request to a model ended."""
        self.model_calls(call.model, call.outcome).inc()
        if not call.made:  # its tokens and its cost were counted when it was
            return
        self.model_tokens(call.model, "input").inc(call.input_tokens)
        self.model_tokens(call.model, "output").inc(call.output_tokens)
        self.model_cost(call.model).inc(call.cost_usd)
        self.model_seconds(call.model).observe(call.milliseconds / 1000)

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

    def _counter(self, name: str, text: str, *labels: str) -> Callable[..., Counter]:
        return partial(
            Counter(name, text, (*self._where, *labels), registry=self._registry).labels, *self._where.values()
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Callable[..., Gauge]:
        return partial(
            Gauge(name, text, (*self._where, *labels), registry=self._registry).labels, *self._where.values()
        )

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Callable[..., Histogram]:
        names = (*self._where, *labels)
        made = Histogram(name, text, names, registry=self._registry, buckets=buckets)
        return partial(made.labels, *self._where.values())


def _told(outcome: Outcome[Any]) -> tuple[str, str, str, int]:
    """Outcome and failure class as labels, the sentence, and the level to log it at; 0 where it goes without saying."""
    match outcome:
        case Emit():
            return "emit", "", "", 0
        case Retry(failure, message):
            return "retry", failure.value, message, logging.INFO
        case DeadLetter(failure, message):
            return "dead_letter", failure.value, message, logging.WARNING
        case Review(reason):
            return "review", outcome.failure.value if outcome.failure else "", reason, logging.INFO
        case Park(_, message):
            # An outage lets thousands of records look again every few seconds: the breaker has said it once.
            return "park", "", message, logging.DEBUG
        case Cancelled(reason=reason):
            return "cancelled", "", reason, logging.INFO
        case _:
            return "unknown", "", f"the handler gave {outcome!r}, which is no outcome", logging.ERROR
