"""A provider that fails: once, for a while, altogether; and what becomes of the documents meanwhile."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pipeline.live.installation import Documents
from tests.pipeline.live.models import settings
from tests.pipeline.live.texts import fields_of, invoice

FIRST, SECOND = "sim-first", "sim-second"
BREAKER = {"PENSTOCK_BREAKER__THRESHOLD": "2", "PENSTOCK_BREAKER__RECOVERY": "3"}


@pytest.fixture(scope="module", autouse=True)
def two_models(documents: Documents, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`analyze` has a chain of two models, and breakers that open and recover soon."""
    told = settings(tmp_path_factory.mktemp("models"), FIRST, SECOND) | BREAKER
    with documents.instead(told, analyze=1):
        yield


@pytest.fixture
def breaker(penstock: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """What `penstock breakers` says of a model."""
    for name, value in BREAKER.items():
        monkeypatch.setenv(name, value)

    def report(model: str) -> dict[str, Any]:
        [found] = penstock("breakers")
        return next(
            (one for one in found if one["name"] == f"model:{model}"),
            {"state": "closed", "reopens_in": 0, "full_in": 0},
        )

    return report


def burst(documents: Documents, name: str) -> list[dict[str, Any]]:
    """Ten documents at once; gives their rows."""
    names = [f"{name}-{number}" for number in range(10)]
    documents.publish(invoice(one) for one in names)
    return list(documents.wait_until_stored(names).values())


def answered(rows: list[dict[str, Any]]) -> Counter[str]:
    """How many documents each model answered."""
    return Counter(model for row in rows for model in row["models"])


def test_a_document_that_no_model_answered_passes_the_retry_topic_and_is_stored(documents: Documents) -> None:
    with documents.fault(fault="server_error", match="Invoice number: once-", times=2):
        documents.publish([invoice("once-1")])
        row = documents.wait_until_stored(["once-1"])["once-1"]
    [(key, value, headers)] = documents.read("analyze.retry.5s", ["once-1"])
    [(_, original, no_headers)] = documents.read("analyze", ["once-1"])
    assert (key, value, no_headers) == (b"once-1", original, {})
    said = {name: headers[f"penstock-{name}"].decode() for name in ("stage", "failure", "attempts")}
    assert said == {"stage": "analyze", "failure": "server_error", "attempts": "1"}
    assert row["fields"] == fields_of("once-1")
    assert not documents.read("analyze.dlq", ["once-1"])


def test_a_model_that_is_down_opens_its_breaker_the_next_one_answers_and_one_probe_closes_it_again(
    documents: Documents, breaker: Callable[[str], dict[str, Any]]
) -> None:
    def wait_until_a_probe_is_due() -> int:
        documents.herd.wait_until(lambda: breaker(FIRST)["state"] == "open" and not breaker(FIRST)["reopens_in"], 10)
        return documents.asked(FIRST)

    with documents.fault(model=FIRST, fault="overloaded"):
        outage = burst(documents, "outage")
        assert breaker(FIRST)["state"] == "open"
        before = wait_until_a_probe_is_due()
        probed = burst(documents, "probed")
        assert documents.asked(FIRST) == before + 1, "one probe, which failed"
        assert breaker(FIRST)["state"] == "open"
        wait_until_a_probe_is_due()
    healed = burst(documents, "healed")
    documents.herd.wait_until(lambda: breaker(FIRST)["state"] == "closed", 10)
    assert answered(outage) == answered(probed) == {SECOND: 10}
    assert answered(healed)[FIRST] >= 1
    documents.herd.wait_until(lambda: not breaker(FIRST)["full_in"], 10)
    assert answered(burst(documents, "after")) == {FIRST: 10}
    names = [row["document_id"] for row in (*outage, *probed, *healed)]
    assert not documents.read("analyze.retry.5s", names), "the next model answered at once"


def test_while_all_models_are_away_documents_wait_and_come_back_by_themselves(
    documents: Documents, breaker: Callable[[str], dict[str, Any]]
) -> None:
    opening = [f"opening-{number}" for number in range(2)]
    waiting = [f"waiting-{number}" for number in range(20)]
    everybody = [*opening, *waiting]

    def asked() -> int:
        return documents.asked(FIRST) + documents.asked(SECOND)

    begun = asked()
    with documents.fault(fault="connection"):
        documents.publish(invoice(name) for name in opening)
        documents.herd.wait_until(lambda: {breaker(model)["state"] for model in (FIRST, SECOND)} == {"open"}, 20)
        opened = asked()
        documents.publish(invoice(name) for name in waiting)
        documents.herd.wait_until(lambda: len(documents.read("analyze", waiting)) == len(waiting), 20)
        documents.herd.wait_until(lambda: asked() > opened, 20, lambda: "no probe was sent")
        assert not documents.rows(everybody)
    failed = asked() - begun
    documents.wait_until_stored(everybody, 40)
    # A document that found both models away asked twice; one that only a breaker kept from them asked nobody.
    assert failed <= 2 * len(opening) + 4
    for topic in ("analyze.retry.5s", "analyze.retry.1m", "analyze.dlq"):
        assert not documents.read(topic, everybody), "an outage costs no attempt"
