"""The service of webhooks as a process: killed again and again, beside a receiver that hangs, and after a replay."""

import json
import os
import random
import time
from collections import Counter
from typing import Any

import psycopg
import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from tests.cli.installation import lines
from tests.notify.place import Place, hook
from tests.notify.receiver import SECRET, Handler, Receiver, hangs

EVERYTHING = 'on = ["batch", "stored", "dead-lettered", "cancelled"]'


def told(receiver: Receiver) -> dict[str, list[dict[str, Any]]]:
    """Type to what was told, each id once."""
    found: dict[str, list[dict[str, Any]]] = {}
    for bodies in receiver.bodies.values():
        assert len(bodies) == 1, "the same id, the same words"
        body = json.loads(next(iter(bodies)))
        found.setdefault(body["type"], []).append(body["data"])
    return found


def sometimes(handler: Handler, number: int) -> None:
    """Refuse one in ten the first time it comes, and take a while: a second refusal would put it off by a minute."""
    handler.server.over.wait(0.01)
    first = handler.server.ids[handler.headers["webhook-id"]] == 1
    handler.answer(500 if number % 10 == 9 and first else 204)


def test_killed_at_random_under_load_every_end_is_told_under_one_id(place: Place) -> None:
    with Receiver(sometimes) as receiver:
        place.name_hooks(hook("team", receiver, EVERYTHING, "at_once = 8", "timeout = 2"))
        process = place.started()
        names = {f"b{b}": [f"b{b}d{n}" for n in range(100)] for b in range(3)}
        for batch, documents in names.items():
            place.submit(batch, *documents, f"{batch}-last")
        for round_ in range(5):
            for batch, documents in names.items():
                place.end(batch, *documents[20 * round_ : 20 * round_ + 20])
            goal = len(receiver.ids) + random.randrange(60)
            place.until(lambda goal=goal: len(receiver.ids) >= goal)  # type: ignore[misc]
            place.kill(process)
            process = place.start()
        place.start()
        ends = {document for documents in names.values() for document in documents}
        place.until(lambda: {d["document_id"] for d in told(receiver).get("document.stored", ())} == ends)
        assert "batch.finished" not in told(receiver), "one of each is still on its way"
        for batch in names:
            place.end(batch, f"{batch}-last", state="cancelled")
        place.until(lambda: len(told(receiver).get("batch.finished", ())) == 3)
        # An id that was in hand at a kill comes again when its lease is over.
        place.until(lambda: not place.rows("select * from webhook_deliveries where state = 'waiting'"))
        found = told(receiver)
        assert Counter(d["document_id"] for d in found["document.stored"]) == Counter(ends)
        assert [batch["states"] for batch in found["batch.finished"]] == [{"cancelled": 1, "stored": 100}] * 3
        assert {batch["round"] for batch in found["batch.finished"]} == {1}
        assert all(signed for _, _, signed in receiver.requests)


def test_a_hook_that_hangs_holds_up_neither_the_others_nor_the_reading(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with Receiver() as good, Receiver(hangs) as bad:
        place.name_hooks(hook("good", good, EVERYTHING), hook("bad", bad, EVERYTHING, "timeout = 60"))
        place.started()
        place.submit("b", *map(str, range(50)))
        place.end("b", *map(str, range(50)))
        place.until(lambda: len(good.ids) == 51)
        assert len(bad.requests) <= 4
        place.until(lambda: place.rows("select count(*) from webhook_deliveries where state = 'waiting'") == [(51,)])
        os.environ |= {"PENSTOCK_WEBHOOKS": str(place.folder / "webhooks.toml"), "HOOK_SECRET": SECRET}
        assert main(["webhooks", "--json"]) == Exit.DONE
        [rows] = lines(capsys.readouterr().out)
        assert {row["hook"]: (row["waiting"], row["delivered"]) for row in rows} == {"good": (0, 51), "bad": (51, 0)}


def test_a_receiver_that_was_down_gets_what_it_missed_and_is_not_hammered(place: Place) -> None:
    up: list[bool] = []

    def behaves(handler: Handler, number: int) -> None:
        handler.answer(200) if up else handler.answer(503, retry_after="2")

    with Receiver(behaves) as receiver:
        place.name_hooks(hook("team", receiver, EVERYTHING))
        place.started()
        place.end("", *map(str, range(40)))
        place.until(lambda: len(receiver.requests) >= 1)
        began = time.monotonic()
        place.herd.reaches(lambda: time.monotonic() - began > 5, 6)
        # Four workers may have begun before the first answer; after that one at a time, two seconds apart.
        assert len(receiver.requests) <= 8
        up.append(True)
        place.until(lambda: len(place.rows("select * from webhook_deliveries where state = 'delivered'")) == 40)
        assert max(receiver.ids.values()) <= 5


def test_what_ended_before_a_hook_was_met_is_no_news_to_it(place: Place) -> None:
    place.submit("old", "d1")
    place.end("old", "d1")
    with Receiver() as receiver, Receiver() as later:
        place.name_hooks(hook("team", receiver, EVERYTHING))
        process = place.started()
        place.submit("new", "d2")
        place.end("new", "d2")
        place.until(lambda: "batch.finished" in told(receiver))
        place.kill(process)
        place.name_hooks(hook("team", receiver, EVERYTHING), hook("later", later, EVERYTHING))
        place.start()
        place.until(lambda: len(place.rows("select * from webhooks")) == 2)
        place.submit("newest", "d3")
        place.end("newest", "d3")
        place.until(lambda: "batch.finished" in told(later))
        place.until(lambda: len(told(receiver).get("batch.finished", ())) == 2)
        assert [one["document_id"] for one in told(receiver)["document.stored"]] == ["d2", "d3"]
        assert [one["batch_id"] for one in told(later)["batch.finished"]] == ["newest"]


def test_a_batch_that_a_replay_opened_is_told_again_when_it_has_ended_again(place: Place) -> None:
    with Receiver() as receiver:
        place.name_hooks(hook("team", receiver, EVERYTHING))
        place.started()
        place.submit("b", "d1", "d2")
        place.end("b", "d1")
        place.bury("b", "d2")
        place.until(lambda: "batch.finished" in told(receiver))
        place.replay("b")
        place.until(lambda: place.rows("select count(*) from webhook_documents where state = 'open'") == [(1,)])
        place.end("b", "d2")
        place.until(lambda: len(told(receiver)["batch.finished"]) == 2)
        first, second = sorted(told(receiver)["batch.finished"], key=lambda batch: batch["round"])
        assert (first["round"], first["states"]) == (1, {"dead-lettered": 1, "stored": 1})
        assert first["failures"] == [{"stage": "extract", "failure": "encrypted", "documents": 1, "rate": 0.5}]
        assert (second["round"], second["states"], second["failures"]) == (2, {"stored": 2}, [])


def test_what_nobody_can_read_stops_nothing(place: Place) -> None:
    with Receiver() as receiver:
        place.name_hooks(hook("team", receiver, EVERYTHING))
        place.started()
        for topic in ("ingest", "results", "extract.dlq", "review", "dlq.resolved"):
            for key, value in ((None, b"\xff"), (b"\xff\xfe", b""), (b"nul\0", b"\xc3\x01" + b"\0" * 20), (b"k", None)):
                if key is not None or topic != "dlq.resolved":  # a compacted topic takes none without a key
                    place.own.put(topic, key, value)
        place.submit("b", "d1")
        place.end("b", "d1")
        place.until(lambda: "batch.finished" in told(receiver))


def test_without_hooks_it_only_says_that_it_is_well(place: Place) -> None:
    process = place.start(PENSTOCK_WEBHOOKS="")
    place.until(lambda: "no webhooks" in place.herd.log_whole())
    assert process.poll() is None
    assert place.rows("select * from webhook_positions") == []


def test_a_sample_is_sent_and_its_failure_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with Receiver() as good, Receiver(lambda handler, number: handler.answer(404, b"nobody")) as bad:
        place.name_hooks(hook("good", good), hook("bad", bad))
        os.environ |= {"PENSTOCK_WEBHOOKS": str(place.folder / "webhooks.toml"), "HOOK_SECRET": SECRET}
        assert main(["webhooks", "test", "good"]) == Exit.DONE
        assert all(signed for _, _, signed in good.requests)
        assert main(["webhooks", "test", "bad", "--json"]) == Exit.FAILED
        assert "status 404: nobody" in capsys.readouterr().out
        assert main(["webhooks", "test", "nobody"]) == Exit.NOT_FOUND
        assert main(["webhooks", "given-up", "bad", "--json"]) == Exit.DONE
        assert main(["webhooks", "retry", "bad"]) == Exit.DONE
        assert main(["webhooks"]) == Exit.DONE


def test_while_postgresql_is_locked_it_waits_and_goes_on(place: Place) -> None:
    with Receiver() as receiver:
        place.name_hooks(hook("team", receiver, EVERYTHING))
        process = place.started()
        with psycopg.connect(place.url) as other:
            other.execute("lock table webhook_deliveries in access exclusive mode")
            place.submit("b", "d1")
            place.end("b", "d1")
            began = time.monotonic()
            place.herd.reaches(lambda: time.monotonic() - began > 2, 3)
            assert process.poll() is None
            assert not receiver.requests
        place.until(lambda: {"batch.finished", "document.stored"} == told(receiver).keys())
