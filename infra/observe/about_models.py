"""The dashboard about models: whether the models answer, and what waits for them."""

from infra.observe.asking import HERE, NOW, quantile
from infra.observe.panels import Dashboard, Line, Panel

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
