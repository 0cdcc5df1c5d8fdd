"""Documents of the running pipeline that are cancelled: before a person, waiting to be tried again, in an open call."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from tests.pipeline.live.installation import Documents
from tests.pipeline.live.texts import invoice

Penstock = Callable[..., list[Any]]
WHY = ("--reason", "the wrong customer")


def test_a_document_before_a_person_is_decided_without_one_and_its_next_version_is_stored(
    documents: Documents, penstock: Penstock
) -> None:
    with documents.fault(fault="ungrounded", match="Invoice number: cancel-doubt"):
        documents.publish([invoice("cancel-doubt")])
        documents.herd.wait_until(lambda: len(documents.reviews(["cancel-doubt"])) == 1, 60)
    [done] = penstock("cancel", "cancel-doubt", *WHY)
    assert (done["changed"], done["version"], done["states"]) == (True, 1, {"cancelled": 1})
    assert done["pending"] == [], "it has ended when the command returns"
    [told] = documents.results(["cancel-doubt"])
    assert (told["state"], told["version"]) == ("cancelled", 1)
    assert told["reason"].startswith("the wrong customer (cancelled by ")
    assert documents.reviews(["cancel-doubt"])["cancel-doubt"]["decision"] == "cancel"
    assert all(one["document_id"] != "cancel-doubt" for one in penstock("review", "list"))
    assert not documents.rows(["cancel-doubt"]), "nothing takes the place of an earlier version"
    documents.publish([invoice("cancel-doubt", version=2)])
    assert documents.wait_until_stored(["cancel-doubt"])["cancel-doubt"]["version"] == 2
    assert sorted(one["state"] for one in documents.results(["cancel-doubt"])) == ["cancelled", "stored"]


def test_one_that_waits_to_be_tried_again_ends_now_and_not_when_it_is_due(
    documents: Documents, penstock: Penstock
) -> None:
    name = "cancel-later"
    with documents.fault(fault="server_error", match=f"Invoice number: {name}"):
        documents.publish([invoice(name, batch_id="cancel-b1")])
        # The second tier is a minute.
        documents.herd.wait_until(lambda: bool(documents.read("analyze.retry.1m", [name])), 90)
        began = time.monotonic()
        [done] = penstock("cancel", "--batch", "cancel-b1", *WHY, "--timeout", "40")
        assert time.monotonic() - began < 40
    assert (done["states"], done["pending"]) == ({"cancelled": 1}, [])
    assert [one["state"] for one in documents.results([name])] == ["cancelled"]
    [again] = penstock("cancel", "--batch", "cancel-b1", *WHY)
    assert again["changed"] is False


def test_an_open_call_is_left_at_once_and_the_ledger_keeps_what_may_be_billed(
    documents: Documents, penstock: Penstock
) -> None:
    name = "cancel-open"
    assert documents.parts.database

    def calls() -> list[dict[str, Any]]:
        every = httpx.get(f"{documents.sim}/calls").json()
        return [call for call in every if f"Invoice number: {name}" in call["document"]]

    with documents.fault(fault="hang", match=f"Invoice number: {name}"):
        documents.publish([invoice(name)])
        documents.herd.wait_until(lambda: len(calls()) == 1, 60)
        penstock("cancel", name, *WHY)
        documents.herd.wait_until(lambda: bool(calls()[0]["ended"]), 2)
    [call] = calls()
    assert call["left"]
    assert [one["state"] for one in documents.results([name])] == ["cancelled"]
    with psycopg.connect(documents.parts.database) as connection:
        states = connection.execute("select state from calls where document_id = %s", [name]).fetchall()
    assert states == [("intent",)]


def test_what_is_stored_is_refused_and_stays_as_it_is(
    documents: Documents, penstock: Penstock, capsys: pytest.CaptureFixture[str]
) -> None:
    documents.publish([invoice("cancel-stored", batch_id="cancel-b2")])
    documents.wait_until_stored(["cancel-stored"])
    for which in (("cancel-stored",), ("--batch", "cancel-b2")):
        assert main(["cancel", *which, *WHY]) == Exit.REFUSED
        assert "nothing was done" in capsys.readouterr().err
    assert penstock("status", "cancel-stored")[0]["state"] == "stored"
