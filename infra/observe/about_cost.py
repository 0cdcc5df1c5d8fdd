"""The dashboard about cost: what was spent, and what for."""

from infra.observe.asking import ALL, HERE, NOW
from infra.observe.panels import Dashboard, Line, Panel

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
