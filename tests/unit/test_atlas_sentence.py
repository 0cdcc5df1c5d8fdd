from datetime import UTC, datetime

import pytest

from shared.core.atlas.factors import Condition
from shared.core.atlas.finding import Finding
from shared.core.atlas.sentence import percent, remedy_of, sentence, who
from shared.core.failures import Failure
from shared.core.remedies import DEFAULT

SINCE = datetime(2026, 11, 24, 10, 32, tzinfo=UTC).timestamp()
GROUP = (Condition("document_type", "invoice"), Condition("method", "ocr"), Condition("pages", over=40))


def finding(failure: str = "token_limit", since: float | None = SINCE, group: tuple[Condition, ...] = GROUP) -> Finding:
    return Finding("analyze", failure, group, 2_000, 460, 0.212, 0.249, 8_000, 96, since)


def test_it_says_how_often_who_where_how_since_when_and_what_to_do() -> None:
    assert sentence(finding(), DEFAULT, "penstock dlq list --class token_limit") == (
        "23 % of scanned invoices over 40 pages fail at analyze with token_limit"
        " (460 of 2,000; 95 %: 21–25 %; others 1.2 %), since 2026-11-24 10:32 UTC;"
        " likely remedy: a model with a larger window, or the document in parts;"
        " select them: penstock dlq list --class token_limit"
    )


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ((), "documents"),
        ((Condition("document_type", "other"), Condition("tenant", "acme")), "other documents of tenant acme"),
        ((Condition("model", "large"), Condition("prompt", "qa@1")), "documents asked of large with prompt qa@1"),
        ((Condition("size", over=100_000, upto=1_000_000),), "documents over 100 kB and up to 1 MB"),
        ((Condition("pages", upto=1),), "documents up to 1 page"),
        ((Condition("method", "text"),), "documents with text of their own"),
        ((Condition("language", "de"), Condition("media_type", "a/b")), "documents in language de of media type a/b"),
    ],
)
def test_the_documents_are_named_as_people_do(group: tuple[Condition, ...], words: str) -> None:
    assert who(group) == words


def test_what_always_fails_is_said_so() -> None:
    always = Finding("analyze", "refusal", GROUP, 40, 40, 0.91, 1.0, 900, 0, None)
    assert sentence(always, DEFAULT, "x").startswith(
        "all scanned invoices over 40 pages fail at analyze with refusal (40 of 40; 95 %: 91–100 %; others 0 %); likely"
    )


def test_what_hits_everybody_is_held_against_the_time_before() -> None:
    said = sentence(finding("auth", group=()), DEFAULT, "x")
    assert said.startswith(
        "23 % of documents fail at analyze with auth (460 of 2,000; 95 %: 21–25 %; before 1.2 %), si"
    )


def test_every_class_has_something_to_do_about_it() -> None:
    assert all(remedy_of(finding(failure.value, None), DEFAULT) for failure in Failure)
    assert remedy_of(finding("no_class_of_ours"), DEFAULT) == "look at one of them"


def test_a_prompt_with_which_it_began_is_to_be_taken_back() -> None:
    group = (Condition("prompt", "extraction@2"),)
    assert "go back from extraction@2" in remedy_of(finding("refusal", group=group), DEFAULT)
    assert "go back" not in remedy_of(finding("refusal", None, group), DEFAULT)


def test_a_rate_is_never_rounded_to_none_or_all() -> None:
    rates = (0, 0.0001, 0.0123, 0.0999, 0.104, 0.9951, 0.99999, 1)
    assert [percent(rate) for rate in rates] == ["0", "<0.1", "1.2", "10.0", "10", "99.5", "99.9", "100"]
