"""What live services export: every name and label that dashboards and alert rules ask for, and figures that add up."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local.parts.ports import free_port
from shared.observe.names import DICTIONARY
from tests.observe.expressions import SCRAPED, everything, selectors
from tests.pipeline.live.installation import STAGES, Documents, said_by
from tests.pipeline.live.texts import invoice

Series = dict[str, list[tuple[dict[str, str], float]]]
"""Name of a sample to its labels and values."""


def scraped(documents: Documents, *services: str) -> Series:
    """What these services tell Prometheus."""
    return told_at(*(port for service in services for _, port in documents.running[service]))


def told_at(*ports: int) -> Series:
    """What stands at the health ports of services."""
    found: Series = {}
    for port in ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def total(series: Series, name: str, **labels: str) -> float:
    return sum(value for found, value in series.get(name, ()) if labels.items() <= found.items())


@pytest.fixture(scope="module")
def run(documents: Documents) -> list[str]:
    """Documents that went through all services, and one that failed."""
    ids = [f"observed-{number}" for number in range(3)]
    documents.publish([invoice(name) for name in ids])
    documents.publish([{"document_id": "observed-empty", "content": b""}])
    documents.herd.wait_until(lambda: len(documents.results(ids)) == len(ids), 60)
    documents.herd.wait_until(lambda: bool(documents.read("extract.dlq", ["observed-empty"])), 60)
    return ids


@pytest.fixture(scope="module")
def journal(documents: Documents, run: list[str]) -> Iterator[int]:
    """The port of a journal that has audited, and looked for what may be deleted, at least once."""
    process = documents.herd.start(
        "services.journal",
        PENSTOCK_HEALTH_PORT=str(port := free_port()),
        PENSTOCK_JOURNAL__AUDIT_SECONDS="0.5",
        PENSTOCK_JANITOR__EVERY_SECONDS="0.5",
    )
    documents.herd.wait_until(lambda: bool(said_by(port).get("ready")), 60, lambda: "the journal is not ready")
    told = {"penstock_audit_findings", "penstock_janitor_timestamp_seconds"}
    documents.herd.wait_until(lambda: told <= told_at(port).keys(), 60)
    yield port
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture(scope="module")
def webhooks(documents: Documents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a service of webhooks that has tried one at which nobody listens."""
    file = tmp_path_factory.mktemp("webhooks") / "hooks.toml"
    url = f"http://127.0.0.1:{free_port()}/"
    file.write_text(f'[[hook]]\nname = "nobody"\nurl = "{url}"\nsecret_env = "HOOK_SECRET"\non = ["stored"]\n')
    process = documents.herd.start(
        "services.notify",
        PENSTOCK_HEALTH_PORT=str(port := free_port()),
        PENSTOCK_WEBHOOKS=str(file),
        HOOK_SECRET="0123456789abcdef" * 2,
    )
    documents.herd.wait_until(lambda: bool(said_by(port).get("ready")), 60, lambda: "the webhooks are not ready")
    documents.publish([invoice("observed-told")])
    told = {"penstock_webhook_tries_total", "penstock_webhook_waiting", "penstock_notify_behind_seconds"}
    documents.herd.wait_until(lambda: told <= told_at(port).keys(), 60)
    yield port
    process.terminate()
    assert process.wait(20) == 0


def test_every_name_and_label_of_the_dashboards_and_the_alerts_is_exported(
    documents: Documents, run: list[str], journal: int, webhooks: int
) -> None:
    documents.herd.wait_until(lambda: "penstock_ledger_cost_usd" in scraped(documents, "review"), 30)
    documents.herd.wait_until(lambda: "penstock_lag_seconds" in scraped(documents, "analyze"), 30)
    series = scraped(documents, *STAGES, "review") | told_at(journal, webhooks)
    asked = {one for _, expression in everything() for one in selectors(expression) if one.metric != "up"}
    for one in asked:
        if one.metric in series:
            labels = set(series[one.metric][0][0])
            assert one.labels <= labels | SCRAPED, f"{one.metric} has {labels}"
    # What has not happened has no series yet; its name and its labels stand in the dictionary.
    known = {sample for metric in DICTIONARY.values() for sample in metric.samples}
    assert {one.metric for one in asked} <= known
    silent = {one.metric for one in asked} - series.keys()
    assert silent <= {
        "penstock_calls_reused_total",
        "penstock_documents_stuck",
        "penstock_limit_holds_total",
        "penstock_limit_refused_total",
        "penstock_model_tokens_apart_total",
        "penstock_records_parked",
        "penstock_spans_total",
    }, silent


def test_attempts_outcomes_and_costs_of_a_run_are_told(documents: Documents, run: list[str]) -> None:
    series = scraped(documents, *STAGES)
    assert total(series, "penstock_operations_total", stage="extract", outcome="dead_letter", failure="empty") >= 1
    assert total(series, "penstock_operations_total", stage="analyze", outcome="emit", document_type="invoice") >= 3
    assert (
        total(series, "penstock_model_questions_total", task="extraction", document_type="invoice", outcome="ok") >= 3
    )
    answered = total(series, "penstock_model_calls_total", outcome="ok", document_type="invoice")
    assert answered + total(series, "penstock_model_calls_total", outcome="reused") >= 3
    # A stage that has nothing to do is not behind: the marker of the last transaction is no record.
    documents.herd.wait_until(lambda: not total(scraped(documents, *STAGES), "penstock_lag_records"), 30)
    assert total(scraped(documents, *STAGES), "penstock_lag_seconds") == 0


def test_no_line_of_any_log_quotes_a_document(documents: Documents, run: list[str]) -> None:
    names = [f"observed-bad-{number}" for number in range(2)]
    with documents.fault(fault="schema_violation", match=names[0]), documents.fault(fault="refusal", match=names[1]):
        documents.publish([invoice(name) for name in names])
        documents.herd.wait_until(lambda: len(ended(documents, names)) == 2, 90)
    said = documents.herd.log_whole()
    assert names[0] in said
    for words in ("Birch Trading", "Oak planks", "very sure", "can't help with"):
        assert words not in said


def ended(documents: Documents, names: list[str]) -> set[bytes]:
    """Those that need somebody to look at them."""
    records = documents.read("analyze.dlq", names) + documents.read("review", names)
    return {key for key, _, _ in records}


def test_a_paused_stage_tells_in_records_and_seconds_how_far_it_is_behind(
    documents: Documents, penstock: Callable[..., list[object]]
) -> None:
    name = "observed-late"

    def behind() -> tuple[float, float]:
        series = scraped(documents, "classify")
        where = {"topic": "documents.classify"}
        return total(series, "penstock_lag_records", **where), total(series, "penstock_lag_seconds", **where)

    penstock("pause", "classify")
    try:
        documents.publish([invoice(name)])
        documents.herd.wait_until(lambda: behind()[0] >= 1, 60)
        first = behind()[1]
        documents.herd.wait_until(lambda: behind()[1] > first + 1, 30)
        assert total(scraped(documents, "classify"), "penstock_paused") == 1
    finally:
        penstock("resume", "classify")
    documents.herd.wait_until(lambda: len(documents.results([name])) == 1, 60)
    documents.herd.wait_until(lambda: behind() == (0, 0), 30)
