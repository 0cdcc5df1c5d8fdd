"""Dashboards as values, and how they become what Grafana reads: nobody keeps a thousand lines of JSON right by hand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

GRAFANA = Path(__file__).with_name("grafana")
"""Where the dashboards are."""
SOURCE = {"type": "prometheus", "uid": "${source}"}
"""Whichever Prometheus the reader has chosen."""
WIDE, HIGH = 12, 8
"""Size of a panel on Grafana's grid of 24 columns."""

Unit = Literal["short", "s", "ops", "percentunit", "currencyUSD", "bytes", "none"]


@dataclass(frozen=True, slots=True)
class Line:
    """One expression of a panel."""

    expression: str
    """PromQL."""
    legend: str = ""
    """What a series is called, with its labels in double braces."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    """The question it answers."""
    lines: tuple[Line, ...]
    """What it draws."""
    unit: Unit = "short"
    """Of what it draws."""
    kind: Literal["timeseries", "table", "stat", "bargauge"] = "timeseries"
    """How it draws."""
    stacked: bool = False
    """The series add up to something."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page."""

    uid: str
    """Name of its file, and its address in Grafana."""
    title: str
    """What it is about."""
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    """Headings and what stands below them."""

    @property
    def expressions(self) -> Iterator[str]:
        """Everything it asks Prometheus."""
        return (line.expression for _, panels in self.rows for panel in panels for line in panel.lines)


def written(dashboard: Dashboard) -> str:
    """As Grafana imports it."""
    content = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["penstock"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables())},
        "panels": list(_laid_out(dashboard.rows)),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _variables() -> Iterator[Mapping[str, Any]]:
    yield {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    for name in ("pipeline", "stage"):
        metric = "penstock_troubles_total" if name == "pipeline" else 'penstock_troubles_total{pipeline=~"$pipeline"}'
        yield {
            "name": name,
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": f"label_values({metric}, {name})", "refId": name},
            "refresh": 2,
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "current": {"text": "All", "value": "$__all"},
        }


def _laid_out(rows: Sequence[tuple[str, tuple[Panel, ...]]]) -> Iterator[Mapping[str, Any]]:
    """Two panels side by side under each heading."""
    down, number = 0, 1
    for heading, panels in rows:
        place = {"h": 1, "w": 2 * WIDE, "x": 0, "y": down}
        yield {"id": number, "type": "row", "title": heading, "collapsed": False, "gridPos": place, "panels": []}
        down, number = down + 1, number + 1
        for index, panel in enumerate(panels):
            place = {"h": HIGH, "w": WIDE, "x": WIDE * (index % 2), "y": down + HIGH * (index // 2)}
            yield {"id": number, "gridPos": place, **_drawn(panel)}
            number += 1
        down += HIGH * -(-len(panels) // 2)


def _drawn(panel: Panel) -> Mapping[str, Any]:
    instant = panel.kind != "timeseries"
    drawn: dict[str, Any] = {"unit": panel.unit}
    if panel.stacked:
        drawn["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 30}
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": drawn, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": line.expression,
                "legendFormat": line.legend or "__auto",
                "instant": instant,
                "range": not instant,
                **({"format": "table"} if panel.kind == "table" else {}),
            }
            for index, line in enumerate(panel.lines)
        ],
    }
