"""The dashboard about a pipeline: whether it keeps up, what fails, how long it takes, and where everything is."""

from infra.observe.asking import ALL, COMES_BACK, HERE, NOW, quantile
from infra.observe.panels import Dashboard, Line, Panel

PIPELINE = Dashboard(
    "penstock-pipeline",
    "Penstock: pipeline",
    (
        (
            "Is it keeping up?",
            (
                Panel(
                    "Seconds that the oldest record has waited",
                    (Line(f"max by (stage) (penstock_lag_seconds{{{HERE}, {COMES_BACK}}})", "{{stage}}"),),
                    "s",
                ),
                Panel(
                    "Records not worked off",
                    (Line(f"sum by (stage) (penstock_lag_records{{{HERE}, {COMES_BACK}}})", "{{stage}}"),),
                ),
                Panel(
                    "Records through each stage, per second",
                    (Line(f"sum by (stage) (rate(penstock_operations_total{{{HERE}}}{NOW}))", "{{stage}}"),),
                    "ops",
                ),
                Panel(
                    "Records in hand, and those that wait",
                    (
                        Line(f"sum by (stage) (penstock_records_in_flight{{{HERE}}})", "{{stage}} in flight"),
                        Line(f"sum by (stage) (penstock_records_waiting{{{HERE}}})", "{{stage}} wait"),
                        Line(f"sum by (stage) (penstock_records_retry_waiting{{{HERE}}})", "{{stage}} wait to retry"),
                    ),
                ),
            ),
        ),
        (
            "What fails, and how?",
            (
                Panel(
                    "Share of documents that end as dead letters, by type",
                    (
                        Line(
                            "sum by (stage, document_type)"
                            f' (rate(penstock_operations_total{{{HERE}, outcome="dead_letter"}}{NOW}))'
                            f" / sum by (stage, document_type) (rate(penstock_operations_total{{{HERE}}}{NOW}))",
                            "{{stage}} {{document_type}}",
                        ),
                    ),
                    "percentunit",
                ),
                Panel(
                    "Dead letters of the last day, by stage, type and class",
                    (
                        Line(
                            "sort_desc(sum by (stage, document_type, failure)"
                            f' (increase(penstock_operations_total{{{HERE}, outcome="dead_letter"}}[1d])) > 0)'
                        ),
                    ),
                    kind="table",
                ),
                Panel(
                    "Attempts per second, by outcome",
                    (Line(f"sum by (outcome) (rate(penstock_records_settled_total{{{HERE}}}{NOW}))", "{{outcome}}"),),
                    "ops",
                    stacked=True,
                ),
                Panel(
                    "Attempts that a document takes",
                    (Line(quantile("0.95", "penstock_record_attempts", "stage"), "{{stage}} p95"),),
                ),
            ),
        ),
        (
            "How long does it take?",
            (
                Panel(
                    "Seconds in the handler",
                    (
                        Line(quantile("0.5", "penstock_handler_seconds", "stage"), "{{stage}} p50"),
                        Line(quantile("0.95", "penstock_handler_seconds", "stage"), "{{stage}} p95"),
                    ),
                    "s",
                ),
                Panel(
                    "Seconds in the handler, 95 of 100, by type",
                    (
                        Line(
                            quantile("0.95", "penstock_handler_seconds", "stage, document_type"),
                            "{{stage}} {{document_type}}",
                        ),
                    ),
                    "s",
                ),
                Panel(
                    "Seconds of a transaction, and records in one",
                    (
                        Line(quantile("0.95", "penstock_transaction_seconds", "stage"), "{{stage}} p95"),
                        Line(quantile("0.5", "penstock_batch_records", "stage"), "{{stage}} records"),
                    ),
                ),
                Panel(
                    "Out of the ordinary, per hour",
                    (
                        Line(f"sum by (stage) (increase(penstock_troubles_total{{{HERE}}}[1h]))", "{{stage}} troubles"),
                        Line(
                            f"sum by (stage) (increase(penstock_producer_restarts_total{{{HERE}}}[1h]))",
                            "{{stage}} producers made anew",
                        ),
                        Line(f"sum by (stage) (penstock_suspected_partitions{{{HERE}}})", "{{stage}} suspected"),
                        Line(f"max by (stage) (penstock_paused{{{HERE}}})", "{{stage}} paused"),
                    ),
                ),
            ),
        ),
        (
            "Where is everything?",
            (
                Panel(
                    "Documents by state",
                    (Line(f"max by (state) (penstock_documents{{{ALL}}})", "{{state}}"),),
                    stacked=True,
                ),
                Panel(
                    "Documents that are stuck",
                    (Line(f"max by (at) (penstock_documents_stuck{{{ALL}}})", "{{at}}"),),
                ),
                Panel(
                    "What the last audit found: all of it should be 0",
                    (Line(f"max by (kind) (penstock_audit_findings{{{ALL}}})", "{{kind}}"),),
                ),
                Panel(
                    "The journal: seconds behind, and entries per second",
                    (
                        Line(f"max(penstock_journal_behind_seconds{{{ALL}}})", "behind"),
                        Line(f"sum(rate(penstock_journal_entries_total{{{ALL}}}{NOW}))", "entries"),
                    ),
                ),
                Panel(
                    "Offsets per hour that the janitor deletes",
                    (Line(f"sum(increase(penstock_janitor_deleted_total{{{ALL}}}[1h]))", "deleted"),),
                ),
                Panel(
                    "Webhooks: messages that wait, and that were given up",
                    (
                        Line(f"max by (hook) (penstock_webhook_waiting{{{ALL}}})", "{{hook}}"),
                        Line(f"max by (hook) (penstock_webhook_given_up{{{ALL}}})", "{{hook}} given up"),
                    ),
                ),
                Panel(
                    "Webhooks: requests per second, and seconds behind",
                    (
                        Line(
                            f"sum by (hook, outcome) (rate(penstock_webhook_tries_total{{{ALL}}}{NOW}))",
                            "{{hook}} {{outcome}}",
                        ),
                        Line(f"max(penstock_notify_behind_seconds{{{ALL}}})", "behind"),
                    ),
                ),
                Panel(
                    "Spans per second, by what became of them",
                    (Line(f"sum by (end) (rate(penstock_spans_total{{{ALL}}}{NOW}))", "{{end}}"),),
                    "ops",
                ),
            ),
        ),
    ),
)
