"""Every metric of every service: each name once, typed, with what it counts.

Labels `pipeline` and `stage` are the same on all of them. None has a document, a tenant or a message for a label: what
has no end makes a metric useless. Only tenants whom the settings name are told apart, and of document types, models and
prompts only the first few dozen (`shared.observe.bounded`). Dashboards and alert rules use these names and no others.

Attempts and outcomes are apart: a record that is retried twice and then stored is three attempts and one operation; a
question that the second model answers is two calls and one question.
"""

from dataclasses import dataclass
from enum import StrEnum

HANDLER = (0.001, 0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
"""From a rule in line to a model that thinks."""
TRANSACTION = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)
"""From an idle broker to the end of a transaction's patience."""
WAITS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 6.0, 12.0)
"""From one exchange with the registry to twice the patience of a call."""
COUNTS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""Sizes of batches."""


class Kind(StrEnum):
    """What a metric can be."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    """As Prometheus has it."""
    kind: Kind
    """Its type."""
    text: str
    """What it counts, in a sentence."""
    labels: tuple[str, ...] = ()
    """Besides `pipeline` and `stage`."""
    buckets: tuple[float, ...] = ()
    """Upper bounds, of a histogram."""

    @property
    def samples(self) -> tuple[str, ...]:
        """Names under which it is exported."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"penstock_{name}_total", Kind.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"penstock_{name}", Kind.GAUGE, text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(f"penstock_{name}", Kind.HISTOGRAM, text, labels, buckets)


# Records
TAKEN = _counter("records_taken", "Records taken from Kafka, repeats included.", "topic")
SETTLED = _counter(
    "records_settled", "Attempts decided; failure is empty where none.", "outcome", "failure", "document_type"
)
OPERATIONS = _counter(
    "operations", "Records that left the stage, whatever it took: each once.", "outcome", "failure", "document_type"
)
ATTEMPTS = _histogram("record_attempts", "Attempt at which records were decided.", COUNTS)
HANDLER_SECONDS = _histogram(
    "handler_seconds", "Seconds in the handler; of a batch, the whole batch's.", HANDLER, "outcome", "document_type"
)
IN_FLIGHT = _gauge("records_in_flight", "Records taken and not yet committed.")
WAITING = _gauge("records_waiting", "Records held that wait, for whatever it is.")
RETRY_WAITING = _gauge("records_retry_waiting", "Records held that came from a retry topic.")
PARKED = _gauge("records_parked", "Records held that wait for a dependency.", "dependency")
OLDEST = _gauge("oldest_record_seconds", "Seconds since Kafka got the oldest unfinished record; 0 where none is.")
SPAN = _gauge("low_watermark_records", "Offsets fetched beyond the low watermark, of the partition with most.")
LAG = _gauge("lag_records", "Records that are not worked off, of partitions that are ours.", "topic", "partition")
LAG_SECONDS = _gauge(
    "lag_seconds", "Seconds that the oldest of them has waited, as far as known.", "topic", "partition"
)

# The engine
PAUSED = _gauge("paused", "1 while an operator has the stage paused.")
WINDOW = _gauge("window_records", "Slow records that may run at once; less after crashes.")
SUSPECTED = _gauge("suspected_partitions", "Partitions in which a record that kills its process is looked for.")
BATCH = _histogram("batch_records", "Records committed in one transaction.", COUNTS)
TRANSACTION_SECONDS = _histogram("transaction_seconds", "Seconds from begin to the end of commit.", TRANSACTION)
PRODUCER_RESTARTS = _counter("producer_restarts", "Producers made anew after errors.")
TROUBLES = _counter("troubles", "Unusual events of the engine; each is in the log.")

# Models, as their answers come
BREAKER_STATE = _gauge("breaker_state", "Breaker as seen from here: 0 closed, 1 half-open, 2 open.", "breaker")
MODEL_CALLS = _counter(
    "model_calls",
    "Requests to models; outcome is ok or the failure class.",
    "model",
    "prompt",
    "document_type",
    "outcome",
)
MODEL_QUESTIONS = _counter(
    "model_questions", "Questions put to a chain; outcome is ok, failed or waits.", "task", "document_type", "outcome"
)
MODEL_SECONDS = _histogram("model_seconds", "Seconds from request to the last byte.", HANDLER, "model", "prompt")

# Models, as they are recorded to be paid
MODEL_TOKENS = _counter("model_tokens", "Tokens as providers count; direction: input, output.", "model", "direction")
MODEL_TOKENS_APART = _counter(
    "model_tokens_apart", "Of these: part is cached, written, reasoning, or failed in vain.", "model", "part"
)
MODEL_COST = _counter("model_cost_usd", "US dollars by the prices of the day.", "model")
MODEL_FAILED = _counter("model_failed_usd", "Of these, those for answers that were no use.", "model")
MODEL_UNSURE = _counter("model_unsure_usd", "Of these, our estimate where nobody saw the provider's count.", "model")
TENANT_COST = _counter(
    "tenant_cost_usd", "US dollars spent; tenants without a budget of their own are `other`.", "tenant"
)

# What the ledger knows, also of processes that are no more; told by the review desk alone
LEDGER_COST = _gauge("ledger_cost_usd", "US dollars of all recorded calls.", "model", "document_type")
LEDGER_FAILED = _gauge("ledger_failed_usd", "Of these, those for answers that were no use.", "model", "document_type")
LEDGER_UNSURE = _gauge("ledger_unsure_usd", "Of these, our estimates.", "model", "document_type")
LEDGER_UNSURE_CALLS = _gauge("ledger_unsure_calls", "Calls whose answer nobody saw.", "model", "document_type")

# Limits
LIMIT_MOST = _gauge("limit_most", "What all processes may use in a window; kind: requests, tokens.", "limit", "kind")
LIMIT_RESERVED = _gauge(
    "limit_reserved", "What calls in flight here have reserved; kind: requests, tokens.", "limit", "kind"
)
LIMIT_USED = _gauge(
    "limit_used", "What calls from here used in the last window; kind: requests, tokens.", "limit", "kind"
)
LIMIT_SHARE = _gauge("limit_share", "Part of the limit used and reserved from here; sum it over processes.", "limit")
LIMIT_WAITING = _gauge("limit_waiting", "Calls here that wait for room.", "limit")
LIMIT_WAIT_SECONDS = _histogram(
    "limit_wait_seconds", "Seconds until a call had room, or was told to come later.", WAITS, "limit"
)
LIMIT_REFUSED = _counter("limit_refused", "Calls that the limit told to come later.", "limit")
LIMIT_HOLDS = _counter("limit_holds", "Times a provider's word kept all processes from calling.", "limit")

# The ledger
CALLS_REPEATED = _counter("calls_repeated", "Calls made again, because an earlier try has no recorded end.")
CALLS_REUSED = _counter("calls_reused", "Recorded results that took the place of a call; state as recorded.", "state")
LEDGER_BATCH = _histogram("ledger_batch_calls", "Calls of one statement; kind: begin, end.", COUNTS, "kind")
LEDGER_SECONDS = _histogram("ledger_batch_seconds", "Seconds of one statement; kind: begin, end.", TRANSACTION, "kind")
SPOOL_BYTES = _gauge("spool_bytes", "Size of the spool; 0 while PostgreSQL is there.")

# The journal
JOURNAL_ENTRIES = _counter("journal_entries", "Records put into the journal.")
JOURNAL_SECONDS = _histogram("journal_batch_seconds", "Seconds from a batch of records to its commit.", TRANSACTION)
JOURNAL_BEHIND = _gauge("journal_behind_seconds", "Age of the newest record when it was put into the journal.")
DOCUMENTS = _gauge("documents", "Documents by state, as the journal knows them.", "state")
STUCK = _gauge("documents_stuck", "Documents that stand still at a stage for longer than others explain.", "at")
AUDIT_FINDINGS = _gauge(
    "audit_findings", "What the last audit found; kind: missing, doubled, unexplained, deleted.", "kind"
)
AUDIT_SECONDS = _gauge("audit_seconds", "Seconds that the last audit took.")
AUDITED_AT = _gauge("audit_timestamp_seconds", "When the last audit ended, UNIX time.")

# Janitor
JANITOR_DELETED = _counter("janitor_deleted", "Offsets that the janitor has deleted.")
SWEPT_AT = _gauge("janitor_timestamp_seconds", "When the janitor last came to an end, UNIX time.")

# Webhooks
WEBHOOK_TRIES = _counter(
    "webhook_tries", "Requests to webhooks; outcome: delivered, failed, given_up.", "hook", "outcome"
)
WEBHOOK_SECONDS = _histogram("webhook_seconds", "Seconds of a request to a webhook.", HANDLER, "hook")
WEBHOOK_WAITING = _gauge("webhook_waiting", "Messages that wait for delivery.", "hook")
WEBHOOK_GIVEN_UP = _gauge("webhook_given_up", "Messages given up and still kept.", "hook")
WEBHOOK_OLDEST = _gauge("webhook_oldest_seconds", "Age of the oldest message that waits; 0 where none does.", "hook")
NOTIFY_BEHIND = _gauge("notify_behind_seconds", "Age of the newest record when it was read for the webhooks.")

# Traces
SPANS = _counter("spans", "Spans of traces by what became of them: sent, lost, dropped.", "end")

DICTIONARY = {metric.name: metric for metric in list(globals().values()) if isinstance(metric, Metric)}
"""Every metric by its name."""
