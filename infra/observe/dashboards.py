"""The dashboards: what runs and what fails, whom the models answer, what it costs."""

from infra.observe.panels import Dashboard, Line, Panel

HERE = 'pipeline=~"$pipeline", stage=~"$stage"'
"""What the reader has chosen."""
ALL = 'pipeline=~"$pipeline"'
"""The same, where one service tells it of all stages."""
NOW = "[$__rate_interval]"
COMES_BACK = 'topic!~".+[.](retry[.].+|parked)"'
"""Topics whose records wait because they should."""


def quantile(share: str, metric: str, by: str, chosen: str = HERE) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{chosen}}}{NOW})))"


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
    ),
)

MODELS = Dashboard(
    "penstock-models",
    "Penstock: models",
    (
        (
            "Do they answer?",
            (
                Panel(
                    "Breakers: 0 closed, 1 half-open, 2 open",
                    (Line(f"max by (breaker) (penstock_breaker_state{{{HERE}}})", "{{breaker}}"),),
                    "none",
                ),
                Panel(
                    "Requests per second, by model and outcome",
                    (
                        Line(
                            f"sum by (model, outcome) (rate(penstock_model_calls_total{{{HERE}}}{NOW}))",
                            "{{model}} {{outcome}}",
                        ),
                    ),
                    "ops",
                    stacked=True,
                ),
                Panel(
                    "Share of requests that fail, by model and prompt version",
                    (
                        Line(
                            "sum by (model, prompt)"
                            f' (rate(penstock_model_calls_total{{{HERE}, outcome!~"ok|reused.*"}}{NOW}))'
                            f" / sum by (model, prompt) (rate(penstock_model_calls_total{{{HERE}}}{NOW}))",
                            "{{model}} {{prompt}}",
                        ),
                    ),
                    "percentunit",
                ),
                Panel(
                    "Questions: asked of a chain, whatever calls each took",
                    (
                        Line(
                            f"sum by (task, outcome) (rate(penstock_model_questions_total{{{HERE}}}{NOW}))",
                            "{{task}} {{outcome}}",
                        ),
                    ),
                    "ops",
                ),
                Panel(
                    "Failures of the last day, by model, prompt, type and class",
                    (
                        Line(
                            "sort_desc(sum by (model, prompt, document_type, outcome)"
                            f' (increase(penstock_model_calls_total{{{HERE}, outcome!~"ok|reused.*"}}[1d])) > 0)'
                        ),
                    ),
                    kind="table",
                ),
                Panel(
                    "Seconds of a request, 95 of 100",
                    (Line(quantile("0.95", "penstock_model_seconds", "model, prompt"), "{{model}} {{prompt}}"),),
                    "s",
                ),
            ),
        ),
        (
            "Who waits for whom?",
            (
                Panel(
                    "Records that wait for a dependency",
                    (
                        Line(
                            f"sum by (stage, dependency) (penstock_records_parked{{{HERE}}})",
                            "{{stage}} {{dependency}}",
                        ),
                    ),
                ),
                Panel(
                    "Part of each limit that is used and reserved",
                    (Line(f"sum by (limit) (penstock_limit_share{{{HERE}}})", "{{limit}}"),),
                    "percentunit",
                ),
                Panel(
                    "Seconds until a call had room, 95 of 100",
                    (
                        Line(quantile("0.95", "penstock_limit_wait_seconds", "limit"), "{{limit}}"),
                        Line(f"sum by (limit) (penstock_limit_waiting{{{HERE}}})", "{{limit}} calls that wait"),
                    ),
                    "s",
                ),
                Panel(
                    "Times that somebody was told to come later, per minute",
                    (
                        Line(f"sum by (limit) (rate(penstock_limit_refused_total{{{HERE}}}{NOW})) * 60", "{{limit}}"),
                        Line(
                            f"sum by (limit) (rate(penstock_limit_holds_total{{{HERE}}}{NOW})) * 60",
                            "{{limit}}, by the provider",
                        ),
                    ),
                ),
            ),
        ),
    ),
)

ONE = "max without (instance, pod, job)"
"""Several review desks tell the same sums."""

COST = Dashboard(
    "penstock-cost",
    "Penstock: cost",
    (
        (
            "What was spent?",
            (
                Panel(
                    "All that is recorded, US dollars",
                    (
                        Line(f"sum({ONE} (penstock_ledger_cost_usd{{{ALL}}}))", "all"),
                        Line(f"sum({ONE} (penstock_ledger_failed_usd{{{ALL}}}))", "for answers of no use"),
                        Line(f"sum({ONE} (penstock_ledger_unsure_usd{{{ALL}}}))", "our estimate"),
                    ),
                    "currencyUSD",
                    "stat",
                ),
                Panel(
                    "By model and type of document",
                    (Line(f"sort_desc(sum by (model, document_type) ({ONE} (penstock_ledger_cost_usd{{{ALL}}})))"),),
                    "currencyUSD",
                    "table",
                ),
                Panel(
                    "US dollars per hour, by model",
                    (Line(f"sum by (model) (rate(penstock_model_cost_usd_total{{{HERE}}}{NOW})) * 3600", "{{model}}"),),
                    "currencyUSD",
                    stacked=True,
                ),
                Panel(
                    "US dollars per hour, by tenant",
                    (
                        Line(
                            f"sum by (tenant) (rate(penstock_tenant_cost_usd_total{{{HERE}}}{NOW})) * 3600",
                            "{{tenant}}",
                        ),
                    ),
                    "currencyUSD",
                    stacked=True,
                ),
            ),
        ),
        (
            "What for?",
            (
                Panel(
                    "Tokens per second",
                    (
                        Line(
                            f"sum by (model, direction) (rate(penstock_model_tokens_total{{{HERE}}}{NOW}))",
                            "{{model}} {{direction}}",
                        ),
                    ),
                ),
                Panel(
                    "Of these: cached, put aside, thought, in vain",
                    (
                        Line(
                            f"sum by (part) (rate(penstock_model_tokens_apart_total{{{HERE}}}{NOW}))",
                            "{{part}}",
                        ),
                    ),
                ),
                Panel(
                    "Share that is paid for answers of no use",
                    (
                        Line(
                            f"sum by (model) (rate(penstock_model_failed_usd_total{{{HERE}}}{NOW}))"
                            f" / sum by (model) (rate(penstock_model_cost_usd_total{{{HERE}}}{NOW}))",
                            "{{model}}",
                        ),
                        Line(
                            f"sum by (model) (rate(penstock_model_unsure_usd_total{{{HERE}}}{NOW}))"
                            f" / sum by (model) (rate(penstock_model_cost_usd_total{{{HERE}}}{NOW}))",
                            "{{model}}, our estimate",
                        ),
                    ),
                    "percentunit",
                ),
                Panel(
                    "Calls whose answer nobody saw, calls made again, and calls saved",
                    (
                        Line(f"sum({ONE} (penstock_ledger_unsure_calls{{{ALL}}}))", "unsure"),
                        Line(f"sum(increase(penstock_calls_repeated_total{{{HERE}}}[1h]))", "made again, an hour"),
                        Line(f"sum(increase(penstock_calls_reused_total{{{HERE}}}[1h]))", "found again, an hour"),
                        Line(f"max by (stage) (penstock_spool_bytes{{{HERE}}})", "{{stage}} spool, bytes"),
                    ),
                ),
            ),
        ),
    ),
)

DASHBOARDS = (PIPELINE, MODELS, COST)
"""All of them."""
