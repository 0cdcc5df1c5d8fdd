"""The table of remedies: its defaults, what may be changed about it, and what follows from it."""

from pathlib import Path
from typing import Any

import pytest

from shared.core.errors import Misconfigured
from shared.core.failures import DETERMINISTIC, REMEDIES, Failure, Remedy
from shared.core.outcome import DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.remedies import DEFAULT, Fallback, Remedies, allowed
from shared.core.settle import Place, settle
from shared.settings import configured, load
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, delivery, ticket


@pytest.mark.parametrize("failure", list(Failure))
def test_every_class_has_a_remedy_that_it_may_have(failure: Failure) -> None:
    assert REMEDIES[failure] in allowed(failure)
    assert DEFAULT.of(failure) is REMEDIES[failure]


@pytest.mark.parametrize("failure", sorted(DETERMINISTIC))
@pytest.mark.parametrize("remedy", [Remedy.RETRY, Remedy.PARK])
def test_what_fails_for_certain_is_never_sent_again_unchanged(failure: Failure, remedy: Remedy) -> None:
    with pytest.raises(Misconfigured, match=f"{failure} = '{remedy}'.*sent again unchanged it fails again; give it"):
        Remedies({failure: remedy})
    assert DEFAULT.applied(Retry(failure, "again")) == DeadLetter(failure, "again")


@pytest.mark.parametrize(
    ("failure", "remedy", "said"),
    [
        (Failure.STORE_UNAVAILABLE, Remedy.DEAD, "only waiting helps; give it park"),
        (Failure.ENCRYPTED, Remedy.FALLBACK, "nothing of that kind to do about it; give it dead"),
        (Failure.TIMEOUT, Remedy.SPLIT, "give it dead or fallback or park or retry or review"),
        (Failure.INTERNAL, Remedy.PARK, "it would wait for nothing"),
    ],
)
def test_a_remedy_that_cannot_help_is_refused_with_those_that_can(failure: Failure, remedy: Remedy, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        Remedies({failure: remedy})


@pytest.mark.parametrize(
    ("changed", "outcome", "then"),
    [
        ({}, Retry(Failure.TIMEOUT, "slow", 3.0), Retry(Failure.TIMEOUT, "slow", 3.0)),
        ({}, DeadLetter(Failure.INTERNAL, "mend it"), DeadLetter(Failure.INTERNAL, "mend it")),
        (
            {Failure.TIMEOUT: Remedy.FALLBACK},
            Retry(Failure.TIMEOUT, "slow", 3.0),
            DeadLetter(Failure.TIMEOUT, "slow"),
        ),
        ({Failure.TIMEOUT: Remedy.PARK}, Retry(Failure.TIMEOUT, "slow", 3.0), Park("timeout", "slow", 3.0)),
        (
            {Failure.PARSER_TIMEOUT: Remedy.RETRY},
            DeadLetter(Failure.PARSER_TIMEOUT, "slow"),
            Retry(Failure.PARSER_TIMEOUT, "slow"),
        ),
        (
            {Failure.LOW_QUALITY: Remedy.DEAD},
            Review("poor", ticket(), Failure.LOW_QUALITY),
            DeadLetter(Failure.LOW_QUALITY, "poor"),
        ),
        ({Failure.TIMEOUT: Remedy.DEAD}, Emit(ticket()), Emit(ticket())),
    ],
)
def test_what_the_table_changes_outweighs_what_a_handler_says(
    changed: dict[Failure, Remedy], outcome: Outcome[Any], then: Outcome[Any]
) -> None:
    table = Remedies(changed)
    assert table.applied(outcome) == then
    assert table.applied(table.applied(outcome)) == then


@pytest.mark.parametrize("failure", [Failure.AUTH, Failure.MODEL_UNKNOWN])
def test_what_an_operator_mends_is_retried_when_no_model_is_left(failure: Failure) -> None:
    assert DEFAULT.failing(failure, "no key") == Retry(failure, "no key")


def test_a_record_goes_where_the_pipelines_table_sends_it() -> None:
    pipeline = TICKETS.configured({Failure.OVERLOADED: Remedy.DEAD}, None)
    outcome = Retry(Failure.OVERLOADED, "busy")
    [retried] = settle(Place(TICKETS, TRIAGE), delivery(), ticket(), outcome, NOW).writes
    [dead] = settle(Place(pipeline, TRIAGE), delivery(), ticket(), outcome, NOW).writes
    assert (retried.topic, dead.topic) == ("tickets.triage.retry.1s", "tickets.triage.dlq")


def test_an_installation_changes_the_table_by_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penstock.toml").write_text('fallback = "wait"\n[remedies]\ntimeout = "fallback"\n', "utf-8")
    monkeypatch.setenv("PENSTOCK_REMEDIES__RATE_LIMITED", "park")
    pipeline = configured(TICKETS, load())
    assert pipeline.remedies.changed == {Failure.TIMEOUT: Remedy.FALLBACK, Failure.RATE_LIMITED: Remedy.PARK}
    assert (TICKETS.fallback, pipeline.fallback) == (Fallback.NEXT, Fallback.WAIT)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ('[remedies]\ntimeouts = "fallback"', "timeouts"),
        ('[remedies]\ntimeout = "ignore"', "ignore"),
        ('[remedies]\nrefusal = "retry"', "refusal = 'retry': sent again unchanged"),
        ('fallback = "never"', "fallback = 'never'"),
    ],
)
def test_a_wrong_remedy_is_named_with_its_class(
    file: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("penstock.toml").write_text(file, "utf-8")
    with pytest.raises(Misconfigured, match=said):
        configured(TICKETS, load())
