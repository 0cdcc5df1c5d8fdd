"""What an expression of PromQL asks for: metrics with their labels; enough of the language to hold names against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.observe.dashboards import DASHBOARDS

OBSERVE = Path(__file__).parents[2] / "infra" / "observe"
ALERTS = OBSERVE / "alerts.yml"
TESTED = OBSERVE / "alerts.test.yml"

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTED = re.compile(r"\b((?:penstock_\w+|up))\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"')
GROUPED = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SCRAPED = frozenset({"instance", "job", "pod"})
"""Labels that Prometheus adds."""


@dataclass(frozen=True)
class Selector:
    """One metric in an expression."""

    metric: str
    labels: frozenset[str]


def selectors(expression: str) -> list[Selector]:
    """Every metric that it names."""
    found = []
    for name, within in SELECTED.findall(expression):
        labels = MATCHER.findall(within)
        rest = MATCHER.sub("", within).replace(",", "").strip()
        assert not rest, f"{within!r} holds more than matchers: {rest!r}"
        found.append(Selector(name, frozenset(labels)))
    return found


def grouped(expression: str) -> set[str]:
    """Labels by which it groups or joins."""
    lists = GROUPED.findall(STRING.sub('""', expression))
    return {name.strip() for one in lists for name in one.split(",") if name.strip()}


def of_alerts() -> dict[str, str]:
    """Alert to its expression."""
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def everything() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and the expression."""
    yield from of_alerts().items()
    for dashboard in DASHBOARDS:
        for _, panels in dashboard.rows:
            for panel in panels:
                for number, line in enumerate(panel.lines, 1):
                    yield f"{dashboard.uid}: {panel.title}, {number}", line.expression
