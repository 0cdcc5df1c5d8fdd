"""Every expression of a dashboard or an alert rule names metrics and labels that there are, and is PromQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.observe.dashboards import DASHBOARDS
from infra.observe.panels import GRAFANA, written
from shared.observe.names import DICTIONARY, Metric
from tests.observe.expressions import ALERTS, OBSERVE, SCRAPED, TESTED, everything, grouped, of_alerts, selectors

SAMPLES: dict[str, Metric] = {sample: metric for metric in DICTIONARY.values() for sample in metric.samples}
EVERY = dict(everything())
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")
has_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed: take it from Prometheus, or name it in PROMTOOL"
)


def labels_of(name: str) -> set[str]:
    metric = SAMPLES[name]
    return {"pipeline", "stage", *metric.labels, *SCRAPED} | ({"le"} if name.endswith("_bucket") else set())


@pytest.mark.parametrize("where", EVERY)
def test_an_expression_names_metrics_and_labels_that_there_are(where: str) -> None:
    found = [one for one in selectors(EVERY[where]) if one.metric != "up"]
    assert found or where == "PenstockServiceDown"
    for one in found:
        assert one.metric in SAMPLES, f"{where}: nothing exports {one.metric}"
        assert one.labels <= labels_of(one.metric), f"{where}: {one.metric} has no {one.labels - labels_of(one.metric)}"
    known = set().union(*(labels_of(one.metric) for one in found))
    assert grouped(EVERY[where]) <= known, f"{where}: {grouped(EVERY[where]) - known} is no label"


@pytest.mark.parametrize("where", EVERY)
def test_a_counter_is_asked_for_its_rate_and_a_gauge_is_not(where: str) -> None:
    expression = EVERY[where]
    for one in selectors(expression):
        kind = SAMPLES[one.metric].kind if one.metric in SAMPLES else "gauge"
        rated = re.search(rf"\b(rate|increase)\({one.metric}\b", expression) is not None
        assert rated == (kind != "gauge"), f"{where}: {one.metric} is a {kind}"


def test_every_metric_of_the_dictionary_is_drawn_or_watched() -> None:
    asked = {
        SAMPLES[one.metric].name
        for expression in EVERY.values()
        for one in selectors(expression)
        if one.metric in SAMPLES
    }
    assert DICTIONARY.keys() - asked == {
        # For whoever looks for the cause of something: each says more of one that is drawn.
        "penstock_records_taken_total",
        "penstock_oldest_record_seconds",
        "penstock_low_watermark_records",
        "penstock_window_records",
        "penstock_limit_most",
        "penstock_limit_reserved",
        "penstock_limit_used",
        "penstock_ledger_batch_calls",
        "penstock_ledger_batch_seconds",
        "penstock_journal_batch_seconds",
        "penstock_audit_seconds",
        "penstock_webhook_seconds",
    }


def test_the_dashboards_are_those_that_the_code_writes() -> None:
    assert {path.stem for path in GRAFANA.glob("*.json")} == {one.uid for one in DASHBOARDS}
    for dashboard in DASHBOARDS:
        text = (GRAFANA / f"{dashboard.uid}.json").read_text("utf-8")
        assert text == written(dashboard), "run `python -m infra.observe`"
        panels = json.loads(text)["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert len(set(places)) == len(places)


def test_every_alert_has_a_test_a_severity_and_a_remedy() -> None:
    text, tested = ALERTS.read_text("utf-8"), TESTED.read_text("utf-8")
    blocks = text.split("- alert: ")[1:]
    assert len(blocks) == len(of_alerts())
    for block in blocks:
        name = block.splitlines()[0]
        assert re.search(rf"alertname: {name}\n\s+exp_alerts:\n\s+- ", tested), f"{name} is never seen to fire"
        assert re.search(r"severity: (page|ticket)", block), name
        assert "summary:" in block, name
        assert "remedy:" in block, name
    assert set(re.findall(r"alertname: (\w+)", tested)) <= of_alerts().keys()


def test_the_series_of_the_rule_tests_are_series_that_there_are() -> None:
    for series in re.findall(r"- series: '(.*)'", TESTED.read_text("utf-8")):
        for one in selectors(series):
            assert one.metric == "up" or one.labels <= labels_of(one.metric), series


@has_promtool
def test_promtool_finds_the_rules_and_the_scrape_settings_right() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("check", "config", "prometheus.yml")


@has_promtool
def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", "alerts.test.yml")


@has_promtool
def test_what_the_dashboards_ask_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"drawn:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(one for dashboard in DASHBOARDS for one in dashboard.expressions)
    ]
    # JSON is YAML too.
    (tmp_path / "drawn.yml").write_text(json.dumps({"groups": [{"name": "drawn", "rules": rules}]}), "utf-8")
    promtool("check", "rules", str(tmp_path / "drawn.yml"))


def promtool(*arguments: str) -> None:
    command = [PROMTOOL or "promtool", *arguments]
    ran = subprocess.run(command, cwd=OBSERVE, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
