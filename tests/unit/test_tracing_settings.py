"""Tracing by its settings: off unless an address is set, and what is secret of them stays so."""

from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from shared.cli.verbs.config import masked
from shared.core.errors import Misconfigured
from shared.observe.metrics import Metrics
from shared.runtime.process import Life
from shared.runtime.tracing import headers_in, open_tracing
from shared.settings import load
from tests.tracing.receiver import receiving


async def test_without_an_address_nothing_is_begun() -> None:
    async with AsyncExitStack() as stack:
        opened = await open_tracing(stack, Life("triage", load(), "one"), "tickets", Metrics("tickets", "triage"))
    assert (opened.traces.on, opened.outbox, opened.weaker()) == (False, None, {})


async def test_an_address_opens_it_and_health_says_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics("tickets", "triage")
    with receiving() as receiver:
        monkeypatch.setenv("PENSTOCK_TRACING__ENDPOINT", receiver.url)
        async with AsyncExitStack() as stack:
            opened = await open_tracing(stack, Life("triage", load(), "one"), "tickets", metrics)
            assert opened.traces.on
            assert opened.weaker() == {}
            assert opened.outbox
            opened.outbox.trouble = "nobody takes them"
            assert "nobody takes them" in opened.weaker()["tracing"]
            opened.outbox.drop(3)
    assert b'penstock_spans_total{end="dropped",pipeline="tickets",stage="triage"} 3.0' in metrics.exposition()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("ENDPOINT", "collector:4318"), ("SAMPLE", "1.5"), ("TIMEOUT", "0"), ("ENDPIONT", "http://collector:4318")],
)
def test_a_setting_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, setting: str, value: str) -> None:
    monkeypatch.setenv(f"PENSTOCK_TRACING__{setting}", value)
    with pytest.raises(Misconfigured, match=rf"(?i)tracing.{{1,2}}{setting}"):
        load()


def test_headers_are_name_and_value_with_commas_between() -> None:
    assert headers_in("Authorization=Basic eA==, x-langfuse-ingestion-version=4") == {
        "Authorization": "Basic eA==",
        "x-langfuse-ingestion-version": "4",
    }
    assert headers_in("") == {}
    with pytest.raises(Misconfigured, match="name=value"):
        headers_in("Basic eA")


def test_headers_for_a_receiver_are_never_shown() -> None:
    assert masked("tracing.headers", SecretStr("Authorization=Basic eA==")) == "***"
    assert masked("tracing.headers", SecretStr("")) == ""
    assert masked("redis_url", SecretStr("redis://:pw@r:1")) == "redis://***@r:1"
