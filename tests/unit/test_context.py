"""What a handler's context says of the ledger: whose work it is, what is counted, what health tells."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from shared.core.ledger import Scope
from shared.core.settle import Place
from shared.observe.metrics import Metrics
from shared.runtime.paying.once import scope_of
from shared.runtime.watching import LedgerMetrics
from tests.ledgers import ended, intent_of
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import delivery, ticket

PLACE = Place(TICKETS, TRIAGE)


def test_the_work_on_a_record_is_that_of_its_place_its_tenant_and_its_document() -> None:
    event = SimpleNamespace(tenant="acme", document_id="t1")
    assert scope_of(PLACE, delivery(4), event) == Scope("tickets", "triage", "acme", "t1", "tickets.ingest/0/4")
    assert scope_of(PLACE, delivery(4), ticket()).tenant == ""


def test_a_pipeline_may_say_where_the_tenant_stands() -> None:
    place = replace(PLACE, pipeline=replace(TICKETS, tenant=lambda event: event.subject))
    assert scope_of(place, delivery(4), ticket("acme")).tenant == "acme"


def test_a_batch_is_nobodys_in_particular() -> None:
    scope = scope_of(PLACE, delivery(4), None)
    assert (scope.tenant, scope.document_id) == ("", "")


def test_repeats_reuse_batches_and_the_spool_are_counted() -> None:
    metrics = Metrics("documents", "analyze")
    watch = LedgerMetrics(metrics)
    watch.repeated(intent_of("a question"))
    watch.reused(ended(intent_of("a question")))
    watch.gathered("begin", 17, 0.003)
    watch.spooled(4096)
    text = metrics.exposition().decode()
    for line in (
        'penstock_calls_repeated_total{pipeline="documents",stage="analyze"} 1.0',
        'penstock_calls_reused_total{pipeline="documents",stage="analyze",state="accepted"} 1.0',
        'penstock_ledger_batch_calls_sum{kind="begin",pipeline="documents",stage="analyze"} 17.0',
        'penstock_spool_bytes{pipeline="documents",stage="analyze"} 4096.0',
    ):
        assert line in text
