"""Metrics: every name once, documented, without a label that has no end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.core.context import Answer, Call, Prompt
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.ledger import Recorded, Scope, State
from shared.core.outcome import DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.limit_port import LimitReport, Turn
from shared.models.client import ModelChains
from shared.observe.bounded import MOST
from shared.observe.metrics import Metrics
from shared.observe.names import DICTIONARY
from shared.ports import BreakerState
from shared.runtime.watching import CountedLimits
from shared.runtime.world import counted
from tests.ledgers import intent_of
from tests.models.test_limits import PlainLimits
from tests.models.world import PROMPT

DELIVERY = Delivery(Position("documents.extract", 3, 17), b"doc-1", b"", (), datetime(2026, 1, 1, tzinfo=UTC))


def families(metrics: Metrics) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}


def value(metrics: Metrics, sample: str, **labels: str) -> float:
    wanted = {"pipeline": "documents", "stage": "extract"} | labels
    for family in families(metrics).values():
        for found in family.samples:
            if found.name == sample and wanted.items() <= found.labels.items():
                return float(found.value)
    return 0.0


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("documents", "extract")


def test_every_metric_is_named_for_penstock_and_says_what_it_counts(metrics: Metrics) -> None:
    found = families(metrics)
    assert len(found) >= 17
    for name, family in found.items():
        assert name.startswith("penstock_"), name
        assert family.documentation.endswith("."), name


def test_two_services_in_one_process_do_not_share_a_metric(metrics: Metrics) -> None:
    other = Metrics("documents", "extract")
    metrics.troubles.inc()
    assert value(metrics, "penstock_troubles_total") == 1
    assert value(other, "penstock_troubles_total") == 0


@pytest.mark.parametrize(
    ("outcome", "kind", "failure"),
    [
        (Emit(), "emit", ""),
        (Retry(Failure.TIMEOUT, "slow"), "retry", "timeout"),
        (DeadLetter(Failure.ENCRYPTED, "locked"), "dead_letter", "encrypted"),
        (Review("look", proposal=None), "review", ""),
        (Review("look", proposal=None, failure=Failure.LOW_QUALITY), "review", "low_quality"),
        (Park("model:a", "away"), "park", ""),
    ],
)
def test_each_outcome_is_counted_under_its_name_and_class(
    metrics: Metrics, outcome: Outcome[Any], kind: str, failure: str
) -> None:
    metrics.observe(DELIVERY, outcome, 0.3)
    metrics.observe(DELIVERY, outcome, 0.3)
    assert value(metrics, "penstock_records_settled_total", outcome=kind, failure=failure) == 2
    assert value(metrics, "penstock_handler_seconds_count", outcome=kind) == 2
    assert value(metrics, "penstock_record_attempts_sum") == 2


@pytest.mark.parametrize(
    "outcome",
    [
        DeadLetter(Failure.REFUSAL, "the model declined: CANARY"),
        Retry(Failure.INTERNAL, "ValueError: could not convert CANARY"),
        Retry(Failure.SCHEMA_VIOLATION, "total: 'CANARY' is no number"),
        Review("the total CANARY looks odd", proposal=None),
    ],
)
def test_what_quotes_a_document_is_counted_and_not_logged(
    metrics: Metrics, outcome: Outcome[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    metrics.observe(DELIVERY, outcome, 0.1)
    said = "".join(capsys.readouterr())
    assert "doc-1" in said
    assert "CANARY" not in said


def test_a_record_without_a_key_is_counted_like_any_other(metrics: Metrics) -> None:
    metrics.observe(
        Delivery(Position("t", 0, 0), None, None, (), DELIVERY.appended_at),
        DeadLetter(Failure.INVALID_EVENT, "no key"),
        0,
    )
    assert value(metrics, "penstock_records_settled_total", failure="invalid_event") == 1


def test_a_model_call_is_counted_by_model_prompt_and_type_and_its_record_by_what_was_paid(metrics: Metrics) -> None:
    call = Call("qa", "sim", "sim-large", "qa@1", 100, 20, 0.5, 1500, "ok")
    metrics.call(call, "invoice")
    metrics.call(replace(call, outcome="reused"), "invoice")
    where = {"model": "sim-large", "prompt": "qa@1", "document_type": "invoice"}
    assert value(metrics, "penstock_model_calls_total", **where, outcome="ok") == 1
    assert value(metrics, "penstock_model_calls_total", **where, outcome="reused") == 1
    assert value(metrics, "penstock_model_seconds_sum", model="sim-large", prompt="qa@1") == 1.5
    assert value(metrics, "penstock_model_cost_usd_total") == 0
    intent = replace(intent_of("a question"), model="sim-large")
    metrics.paid(Recorded(intent, State.ACCEPTED, "", "", 100, 20, 0.5, cached_tokens=60, reasoning_tokens=8))
    metrics.paid(Recorded(intent, State.FAILED, "", "stream_cut", 10, 2, 0.25, unsure=True))
    assert value(metrics, "penstock_model_tokens_total", direction="input") == 110
    assert value(metrics, "penstock_model_tokens_total", direction="output") == 22
    apart = {p: value(metrics, "penstock_model_tokens_apart_total", part=p) for p in ("cached", "reasoning", "failed")}
    assert apart == {"cached": 60, "reasoning": 8, "failed": 12}
    assert value(metrics, "penstock_model_cost_usd_total") == 0.75
    assert value(metrics, "penstock_model_failed_usd_total") == 0.25
    assert value(metrics, "penstock_model_unsure_usd_total") == 0.25


def test_attempts_and_operations_are_apart(metrics: Metrics) -> None:
    for _ in range(2):
        metrics.observe(DELIVERY, Retry(Failure.TIMEOUT, "slow"), 0.1, "invoice")
    metrics.observe(DELIVERY, Retry(Failure.TIMEOUT, "slow"), 0.1, "invoice", final=True)
    metrics.observe(DELIVERY, Emit(), 0.1, "invoice", final=True)
    assert value(metrics, "penstock_records_settled_total", outcome="retry", document_type="invoice") == 3
    assert value(metrics, "penstock_operations_total", outcome="emit", document_type="invoice") == 1
    assert value(metrics, "penstock_operations_total", outcome="dead_letter", failure="timeout") == 1


def test_hostile_types_models_and_prompts_do_not_make_series_without_end(metrics: Metrics) -> None:
    call = Call("qa", "sim", "sim-large", "qa@1", 100, 20, 0.5, 1500, "ok")
    for number in range(500):
        kind = f"type {number}"
        metrics.observe(DELIVERY, Emit(), 0.1, kind, final=True)
        metrics.call(replace(call, model=f"m{number}", prompt=f"qa@{number}"), kind)
        metrics.question(f"task {number}", kind, "ok")
    metrics.accounts((f"m{number}", f"type {number}", (1.0, 0.0, 0.0, 1)) for number in range(500))
    metrics.observe(DELIVERY, Emit(), 0.1, "\ud800", final=True)
    metrics.observe(DELIVERY, Emit(), 0.1, 'a "quoted"\nname', final=True)
    metrics.observe(DELIVERY, Emit(), 0.1, "x" * 5000, final=True)
    for name, family in families(metrics).items():
        values = {tuple(sorted((k, v) for k, v in one.labels.items() if k != "le")) for one in family.samples}
        assert len(values) <= MOST + 1, name
    assert value(metrics, "penstock_operations_total", document_type="other") == 500 - MOST + 3
    assert sum(one.value for one in families(metrics)["penstock_ledger_cost_usd"].samples) == 500


def test_what_moves_to_another_line_of_the_account_is_told_once(metrics: Metrics) -> None:
    """The type of a document becomes known with its result, and its calls were there before."""
    metrics.accounts([("m", "", (1.0, 0.5, 0.25, 2)), ("m", "invoice", (2.0, 0.0, 0.0, 0))])
    metrics.accounts([("m", "invoice", (3.0, 0.5, 0.25, 2))])
    for name, total in (("cost_usd", 3.0), ("failed_usd", 0.5), ("unsure_usd", 0.25), ("unsure_calls", 2)):
        assert sum(one.value for one in families(metrics)[f"penstock_ledger_{name}"].samples) == total


def test_everything_that_is_exported_stands_in_the_dictionary(metrics: Metrics) -> None:
    """The client takes `_total` off a counter's family, and adds the time of its making."""
    exported = {name.removesuffix("_created") for name in families(metrics)}
    assert exported == {metric.name.removesuffix("_total") for metric in DICTIONARY.values()}
    text = metrics.exposition().decode()
    for metric in DICTIONARY.values():
        assert f"# TYPE {metric.name} {metric.kind}" in text
        assert metric.text.endswith(".")


def test_the_state_of_a_breaker_is_a_number_that_grows_with_the_trouble(metrics: Metrics) -> None:
    numbers = []
    for state in (BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN):
        metrics.breakers({"model:a": state})
        numbers.append(value(metrics, "penstock_breaker_state", breaker="model:a"))
    assert numbers == [0, 1, 2]


def test_how_a_limit_stands_is_told_of_each_of_its_two(metrics: Metrics) -> None:
    metrics.limits([LimitReport("model:a", (300, 60_000), (3, 3_000), (27, 27_000), 5, 2)])
    where = {"limit": "model:a"}
    assert value(metrics, "penstock_limit_most", **where, kind="tokens") == 60_000
    assert value(metrics, "penstock_limit_reserved", **where, kind="requests") == 3
    assert value(metrics, "penstock_limit_used", **where, kind="tokens") == 27_000
    assert value(metrics, "penstock_limit_share", **where) == 0.5
    assert value(metrics, "penstock_limit_waiting", **where) == 5


async def test_waits_refusals_and_holds_of_a_limit_are_counted(metrics: Metrics) -> None:
    plain = PlainLimits()
    counted = CountedLimits(plain, metrics)
    turn = Turn("model:a", (300, 60_000), 100)
    counted.settle(await counted.reserve(turn), None)
    plain.full["model:a"] = 4.0
    assert (await counted.reserve(turn)).after == 4.0
    counted.hold(turn, 2.0)
    assert (plain.settled, plain.held) == ([None], [("model:a", 2.0)])
    assert value(metrics, "penstock_limit_wait_seconds_count", limit="model:a") == 2
    assert value(metrics, "penstock_limit_refused_total", limit="model:a") == 1
    assert value(metrics, "penstock_limit_holds_total", limit="model:a") == 1


async def test_only_tenants_whom_the_settings_name_are_told_apart(metrics: Metrics) -> None:
    call = Call("qa", "sim", "sim-large", "qa@1", 100, 20, 0.5, 1500, "ok")
    reused = replace(call, outcome="reused")
    for tenant in ("acme", "acme", "stranger-1", "stranger-2"):
        opened = counted(cast(ModelChains, Chains((call, reused))), metrics, {"acme": 10.0})
        await opened(Scope("documents", "analyze", tenant, "d1", "o")).ask("analyst", PROMPT, dict)
    assert value(metrics, "penstock_tenant_cost_usd_total", tenant="acme") == 1.0
    assert value(metrics, "penstock_tenant_cost_usd_total", tenant="other") == 1.0
    assert "stranger" not in metrics.exposition().decode()


@dataclass(frozen=True)
class Chains:
    """Models that answer with these calls, in whoever's work."""

    calls: tuple[Call, ...]

    def within(self, scope: Scope | None) -> Chains:
        return self

    async def ask(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: tuple[str, ...] = ()) -> Answer[Any]:
        return Answer({}, self.calls)


def test_gauges_with_labels_of_their_own_are_called_with_them(metrics: Metrics) -> None:
    metrics.taken("documents.ingest").inc(3)
    metrics.lag("documents.ingest", "7").set(12)
    metrics.in_flight.set(4)
    assert value(metrics, "penstock_records_taken_total", topic="documents.ingest") == 3
    assert value(metrics, "penstock_lag_records", partition="7") == 12
    assert value(metrics, "penstock_records_in_flight") == 4
