"""What webhooks are told, in which words, under which signature, and when once more."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.timeline import Entry
from shared.core.webhooks.again import Answer, brake, next_try, seconds_of
from shared.core.webhooks.body import Words, wrong_in
from shared.core.webhooks.hook import Hook, Patience
from shared.core.webhooks.notice import BATCH, Count, Notice, batch_notice, document_notice, tells
from shared.core.webhooks.signature import secret_of, signature, signed_headers

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ENTRY = Entry(
    topic="documents.extract.dlq",
    partition=3,
    offset=7,
    document_id="d1",
    at=NOW,
    depth=3,
    kind="dead-lettered",
    stage="extract",
    state="dead-lettered",
    failure="encrypted",
    attempts=1,
    batch_id="b1",
    message="the file wants a password",
    detail={"tenant": "acme", "document_type": "invoice"},
)
COUNTS = (
    Count("stored", "", "", "acme", 80, NOW),
    Count("stored", "", "", "other", 8, NOW),
    Count("dead-lettered", "extract", "encrypted", "acme", 12, NOW + timedelta(seconds=3)),
)


def notice(**changes: Any) -> Notice:
    found = document_notice("documents", replace(ENTRY, **changes))
    assert found
    return found


def hook(**changes: Any) -> Hook:
    return replace(Hook("team", "https://example.org", frozenset({"dead-lettered", BATCH}), Words()), **changes)


def test_a_signature_is_that_of_the_specifications_own_libraries() -> None:
    """The vector of `testSignFunctionWorks` in the reference libraries of Standard Webhooks."""
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_side_by_side_and_none_signs_nothing() -> None:
    both = signed_headers((b"a" * 24, b"b" * 24), "msg_1", 1, "{}")["webhook-signature"].split(" ")
    assert both == [signature(b"a" * 24, "msg_1", 1, "{}"), signature(b"b" * 24, "msg_1", 1, "{}")]
    assert "webhook-signature" not in signed_headers((), "msg_1", 1, "{}")


@pytest.mark.parametrize("text", ["whsec_no base64", "short", "whsec_c2hvcnQ=", "x" * 65])
def test_a_weak_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|base64") as refused:
        secret_of(text)
    assert text not in str(refused.value)


def test_the_same_end_has_the_same_id_and_another_one_another() -> None:
    assert notice().id == notice(message="read by a later version").id
    ids = {notice(**other).id for other in ({}, {"offset": 8}, {"partition": 0}, {"at": NOW + timedelta(seconds=1)})}
    assert len(ids) == 4
    assert all("." not in one for one in ids)


def test_only_ends_are_told() -> None:
    assert notice(kind="review", state="in-review").type == "document.in_review"
    for other in ({"kind": "arrived", "state": "waiting"}, {"kind": "resolved", "state": "discarded"}, {"state": "?"}):
        assert document_notice("documents", replace(ENTRY, **other)) is None
    assert document_notice("documents", replace(ENTRY, document_id="")) is None


def test_a_hook_hears_what_it_asked_for() -> None:
    assert hook().wants(notice())
    assert not hook(on=frozenset({"stored"})).wants(notice())
    assert not hook(tenants=frozenset({"other"})).wants(notice())
    assert not hook(tenants=frozenset({"acme"})).wants(notice(detail={}))
    assert not hook(types=frozenset({"contract"})).wants(notice())
    assert hook(types=frozenset({"invoice"}), tenants=frozenset({"acme"})).wants(notice())


def test_a_batch_is_told_with_its_counts_and_what_failed() -> None:
    found = batch_notice("documents", "b1", 1, COUNTS)
    assert found
    assert found.text == (
        "Batch b1 is finished: 100 documents, 88 stored, 12 dead-lettered. 12 % fail at extract with encrypted (12)"
    )
    assert found.data["states"] == {"dead-lettered": 12, "stored": 88}
    assert found.data["failures"][0]["rate"] == 0.12
    again = batch_notice("documents", "b1", 2, COUNTS)
    assert again
    assert again.id != found.id
    assert "finished again (2)" in again.text


def test_whoever_hears_of_one_tenant_is_not_told_of_the_others_documents() -> None:
    found = batch_notice("documents", "b1", 1, COUNTS, {"other"})
    assert found
    assert (found.data["documents"], found.data["failures"]) == (8, [])
    assert batch_notice("documents", "b1", 1, COUNTS, {"nobody"}) is None


def test_a_batch_is_told_once_and_again_when_it_was_opened_or_its_last_review_is_decided() -> None:
    waits = (*COUNTS, Count("in-review", "classify", "low_confidence", "acme", 1, NOW))
    assert tells(0, False, waits)
    assert tells(1, True, waits)
    assert not tells(1, False, waits)
    assert tells(1, False, COUNTS)


def test_plain_words_follow_the_specification() -> None:
    body = json.loads(Words().body(notice()))
    assert body["type"] == "document.dead_lettered"
    assert datetime.fromisoformat(body["timestamp"]) == NOW
    assert body["data"]["failure"] == "encrypted"


def test_slack_is_sent_a_sentence_in_which_nothing_is_markup() -> None:
    text = json.loads(Words("slack").body(notice(document_id="<!channel> & co")))["text"]
    assert text.startswith("Document &lt;!channel&gt; &amp; co is dead-lettered at extract: encrypted:")


@given(st.text(), st.text())
def test_a_template_gives_json_whatever_a_document_is_called(name: str, message: str) -> None:
    words = Words("own.json", '{"title": "$type", "text": "${text}", "all": $data, "batch": "$batch_id"}')
    body = json.loads(words.body(notice(document_id=f"d{name}", message=message)))
    assert body["all"]["message"] == message
    assert f"d{name}" in body["text"]


@pytest.mark.parametrize("template", ["{", '{"a": "$nobody"}', '{"a": $text}', '{"a": "$"}'])
def test_a_template_that_cannot_work_is_refused_before_anything_is_sent(template: str) -> None:
    assert wrong_in(template, (notice(),))


def test_pauses_grow_to_hours_and_end() -> None:
    patience, now, pauses = Patience(), NOW, []
    for attempts in range(1, 100):
        due = next_try(patience, Answer(500, ""), attempts, (NOW, now), 0.5)
        if due is None:
            break
        pauses.append((due - now).total_seconds())
        now = due
    assert pauses[:4] == [5, 15, 45, 135]
    assert max(pauses) == 7200
    assert timedelta(hours=12) < now - NOW < timedelta(hours=24)
    assert len(pauses) < 20


def test_what_the_receiver_asks_for_is_obeyed_and_gone_is_gone() -> None:
    times = (NOW, NOW)
    asked = next_try(Patience(), Answer(429, "", 3600.0), 1, times, 0.0)
    assert asked
    assert asked >= NOW + timedelta(hours=1)
    assert next_try(Patience(), Answer(410, ""), 1, times, 0.0) is None
    assert next_try(Patience(), Answer(429, "", 90_000.0), 1, times, 0.0) is None
    assert next_try(Patience(attempts=3), Answer(500, ""), 3, times, 0.0) is None
    assert brake(1, Answer(429, "", 3600.0), 0.0) == 3600
    assert brake(1, Answer(500, ""), 1.0) == 0
    assert 0.5 <= brake(2, Answer(500, ""), 0.3) <= 1
    assert brake(50, Answer(500, ""), 1.0) == 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("9" * 400, 86_400),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("Sun, 01 Mar 2026 12:00:30", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(text: str, seconds: float | None) -> None:
    assert seconds_of(text, NOW, 86_400) == seconds
