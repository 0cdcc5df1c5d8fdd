"""Figures out of measurements: percentiles, shares of an ideal, and how scenarios' figures come together. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Figures = dict[str, float]
"""Stable key to figure."""

COUNTED = frozenset(
    (
        "documents",
        "kills",
        "lost",
        "doubled",
        "out_of_order",
        "repeated_after_record",
        "calls_repeated",
        "calls_in_flight_at_kills",
    )
)
"""What is counted, and therefore adds up over scenarios; everything else belongs to one scenario."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be at least, or at most."""

    least: float = -math.inf
    """Not less than this."""
    most: float = math.inf
    """Not more than this."""

    def met(self, figure: float) -> bool:
        """Whether the figure is within."""
        return self.least <= figure <= self.most

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.most:g}"
        return f"≥ {self.least:g}" if self.least > -math.inf else f"≤ {self.most:g}"


NOTHING = Goal(0, 0)

GOALS: Mapping[str, Goal] = {
    "slow_calls_200": Goal(least=0.97),
    "slow_calls_1000": Goal(least=0.9),
    "kib_per_document": Goal(most=32),
    "lost": NOTHING,
    "doubled": NOTHING,
    "out_of_order": NOTHING,
    "repeated_after_record": NOTHING,
    "recovery_p95_s": Goal(most=10),
    "other_model_rate": Goal(least=0.95),
    "attempts_spent": NOTHING,
    "refusal_recall": Goal(least=0.95),
    "refusal_false_alarms": Goal(most=0.01),
    "truncated_accepted": NOTHING,
    "identical_resends": NOTHING,
    "unaccounted": NOTHING,
    "wrong_class": NOTHING,
    "outage_dead_letters": NOTHING,
    "outage_attempts": NOTHING,
    "outage_rebalances": NOTHING,
    "outage_other_model": Goal(least=0.95),
    "outage_probes_per_interval": Goal(most=1),
    "outage_full_rate_s": Goal(most=10),
    "outage_strayed": NOTHING,
    "fallback_dead_letters": NOTHING,
    "fallback_attempts": NOTHING,
    "fallback_parked": NOTHING,
    "fallback_answers_of_second": Goal(1, 1),
    "pipeline_p50_ms": Goal(most=150),
    "pipeline_p99_ms": Goal(most=500),
    "away_lost": NOTHING,
    "away_doubled": NOTHING,
    "away_dead_letters": NOTHING,
    "away_exits": NOTHING,
    "away_unnamed": NOTHING,
    "slow_lost": NOTHING,
    "slow_doubled": NOTHING,
    "slow_dead_letters": NOTHING,
    "slow_repaid": NOTHING,
    "slow_exits": NOTHING,
    "slow_unnamed": NOTHING,
    "slow_parked": Goal(least=1),
    "slow_stored_per_s": Goal(least=1),
    "limit_used": Goal(least=0.95),
    "share_429": Goal(most=0.005),
    "retry_early": NOTHING,
    "retry_late_p99_ms": Goal(most=1000),
    "cancel_stop_s": Goal(most=2),
    "cancel_late_calls": NOTHING,
    "cancel_wrong": NOTHING,
    "replay_wrong": NOTHING,
    "replay_second": NOTHING,
    "replay_repaid": NOTHING,
    "cost_difference": NOTHING,
    "cost_unended": NOTHING,
    "replay_forecast_error": Goal(most=0.1),
    "journal_rate": Goal(least=5000),
    "journal_differs": NOTHING,
    "audit_false": NOTHING,
    "audit_found": Goal(10, 10),
    "planted_found": Goal(least=11),
    "precision": Goal(least=0.9),
    "null_reports": Goal(most=0.05),
    "first_sentence_s": Goal(most=60),
    "insights_wrong": NOTHING,
}
"""What the figures should be on an idle machine of two cores; the others are told and judged by nobody."""


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed; NaN where there is none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else math.nan


def share_of_ideal(calls: int, seconds: float, in_flight: int, took: float) -> float:
    """Achieved over ideal: so many calls of so many seconds each, so many at once, in the time they took."""
    return calls * seconds / in_flight / took


def rate(moments: Sequence[float], begin: float, end: float) -> float:
    """Events per second between two moments."""
    return sum(begin <= moment < end for moment in moments) / (end - begin)


def together(parts: Iterable[Figures]) -> Figures:
    """The figures of several scenarios as one: counts add up, the rest stands beside each other."""
    whole: Figures = {}
    for part in parts:
        for name, figure in part.items():
            whole[name] = whole.get(name, 0) + figure if name in COUNTED else figure
    return whole
