"""Replays with a receipt on a real Kafka: planned, tried with a few, stopped, gone on with, never twice."""

import json
from collections import Counter
from pathlib import Path

import pytest

from infra.bench.registry import write_registry
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.kafka.dead_letters import DeadLetters
from shared.kafka.reading import Reader
from shared.kafka.receipts import Entry, Plan, Receipt, frozen
from shared.kafka.resolving import Writer
from tests.cli.installation import NOW, Installation, lines, submitted

FAST = ("--patience", "0.5", "--rate", "1000", "--json")


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The one JSON value that a command has printed."""
    [said] = lines(capsys.readouterr().out)
    return dict(said)


def bury_again(own: Installation, number: int) -> None:
    """What the stage does with a re-entered record that fails again: all headers that stay, and a history."""
    record = own.records("ingest")[number]
    history = History("extract", Failure.CORRUPT, "again", 1, NOW, NOW, Position(f"{own.name}.ingest", 0, 0))
    own.put("extract.dlq", record.key, record.value, (*record.headers, *history.to_headers()))


def test_causes_are_told_apart_within_a_class_and_chosen_by_their_fingerprint(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        message = f"page {number} is torn" if number % 2 else f"no table in 'd{number}.pdf'"
        history = History("extract", Failure.CORRUPT, message, 1, NOW, NOW, Position("x", 0, 0))
        event = submitted(f"d{number}", tenant="acme" if number else "other")
        own.put("extract.dlq", b"d%d" % number, own.session.codec.encode(event), history.to_headers())
    assert main(["dlq", "list", "--json", "--groups"]) == Exit.DONE
    groups = lines(capsys.readouterr().out)
    assert [group["count"] for group in groups] == [2, 2]
    assert main(["dlq", "list", "--json", "--cause", groups[0]["cause"], "--tenant", "acme"]) == Exit.DONE
    assert {row["cause"] for row in lines(capsys.readouterr().out)} == {groups[0]["cause"]}
    assert main(["dlq", "list", "--json", "--where", "tenant == 'other'"]) == Exit.DONE
    assert [row["document_id"] for row in lines(capsys.readouterr().out)] == ["d0"]
    assert main(["dlq", "list", "--since", "1h"]) == Exit.DONE
    assert "corrupt" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--where", "tenant =="], "^ here"),
        (["list", "--since", "yesterday"], "2h"),
        (["replay", "--all", "--model", "sim-larg"], "no chain of the registry"),
        (["replay", "--all", "--from", "extrakt"], "it has extract"),
        (["replay", "--all", "--edit", "none.json"], "--edit changes one letter"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_moves(
    own: Installation, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    own.emit_dead("extract", submitted("d1"), Failure.CORRUPT)
    assert main(["dlq", *arguments]) == Exit.USAGE
    assert message in capsys.readouterr().err
    assert own.records("ingest", "dlq.receipts") == []


def test_a_few_go_first_and_the_others_wait_for_their_end(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        own.emit_dead("extract", submitted(f"d{number}"), Failure.CORRUPT)
    assert main(["dlq", "replay", "--all", "--canary", "2", *FAST]) == Exit.TIMEOUT
    said = told(capsys)
    assert (len(own.records("ingest")), said["state"]) == (2, "open")
    for record in own.records("ingest"):
        own.put("results", record.key, b"any end")
    assert main(["dlq", "replay", "--resume", str(said["receipt"]), *FAST]) == Exit.DONE
    assert told(capsys)["before"] == 2
    assert Counter(record.key for record in own.records("ingest")) == {b"d%d" % n: 1 for n in range(6)}
    assert main(["dlq", "receipts", str(said["receipt"]), "--json"]) == Exit.DONE
    shown = told(capsys)
    assert shown["state"] == "done"
    rows = shown["outcomes"]
    assert isinstance(rows, list)
    assert Counter(row["outcome"] for row in rows) == {"stored": 2, "under way": 4}


def test_it_stops_where_the_first_few_fail_again_and_tries_the_next_few_when_it_goes_on(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        own.emit_dead("extract", submitted(f"d{number}"), Failure.CORRUPT)
    assert main(["dlq", "replay", "--class", "corrupt", "--canary", "2", *FAST]) == Exit.TIMEOUT
    bury_again(own, 0)
    bury_again(own, 1)
    capsys.readouterr()
    assert main(["dlq", "replay", "--class", "corrupt", *FAST]) == Exit.PARTLY
    said = told(capsys)
    assert (said["state"], said["failed_again"], len(own.records("ingest"))) == ("stopped", 2, 2)
    assert main(["dlq", "replay", "--resume", str(said["receipt"]), *FAST]) == Exit.TIMEOUT
    assert len(own.records("ingest")) == 4


def test_what_failed_again_is_marked_not_taken_by_the_same_selection_and_capped(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit_dead("extract", submitted("d1"), Failure.CORRUPT)
    assert main(["dlq", "replay", "--class", "corrupt", *FAST]) == Exit.DONE
    bury_again(own, 0)
    capsys.readouterr()
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    assert told(capsys)["replays"] == 1
    assert main(["dlq", "replay", "--class", "corrupt", *FAST]) == Exit.PARTLY
    assert told(capsys)["replayed"] == []
    assert main(["dlq", "replay", "--class", "corrupt", "--again", "--max-replays", "1", *FAST]) == Exit.PARTLY
    assert "replayed 1 times" in str(told(capsys)["refused"])
    assert main(["dlq", "replay", "--class", "corrupt", "--again", *FAST]) == Exit.DONE
    numbers = [dict(record.headers)["penstock-replays"] for record in own.records("ingest")]
    assert sorted(numbers) == [b"1", b"2"]


def test_a_letter_that_has_vanished_is_expired_in_the_receipt(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit_dead("extract", submitted("d1"), Failure.CORRUPT)
    [dead] = own.records("extract.dlq")
    place = f"extract/{dead.position.partition}"
    entries = (Entry(f"{place}/{dead.position.offset}", 10), Entry(f"{place}/99", 10))
    plan = Plan(Receipt(id="r1", by="me", at=NOW.isoformat(), letters=2), entries, {})
    writer = Writer(own.session.kafka, own.name)
    writer.write(list(frozen(own.name, plan)))
    assert main(["dlq", "replay", "--resume", "r1", *FAST]) == Exit.PARTLY
    said = told(capsys)
    assert (said["expired"], len(own.records("ingest"))) == ([f"{place}/99"], 1)
    assert main(["dlq", "replay", "--resume", "r1", *FAST]) == Exit.DONE
    assert told(capsys)["replayed"] == []
    assert len(own.records("ingest")) == 1


def test_a_letter_begins_again_at_an_earlier_stage_with_that_stages_own_record(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit("ingest", submitted("d1", tenant="acme"))
    own.bury("store", b"d1", b"whatever store was given")
    own.bury("store", b"d2", b"of this one nothing is left")
    assert main(["dlq", "replay", "--all", "--from", "extract", *FAST]) == Exit.PARTLY
    said = told(capsys)
    assert len(own.records("ingest")) == 2
    assert "no record of its document any more" in str(said["refused"])
    first, again = own.records("ingest")
    assert (first.key, first.value) == (again.key, again.value)
    assert dict(again.headers)["penstock-replayed"].startswith(f"{own.name}.store.dlq".encode())


def test_one_letter_is_edited_and_its_original_stays(
    own: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own.emit_dead("extract", submitted("d1", tasks=("exraction",)), Failure.INVALID_EVENT)
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    letter = str(told(capsys)["id"])
    file = tmp_path / "edit.json"
    for changes, code in (
        ({"taks": []}, Exit.USAGE),
        ({"document_id": "d2"}, Exit.REFUSED),
        ({"tasks": ["extraction"]}, Exit.DONE),
    ):
        file.write_text(json.dumps(changes))
        assert main(["dlq", "replay", letter, "--edit", str(file), "--json"]) == code
    [again] = own.records("ingest")
    [dead] = own.records("extract.dlq")
    decode = own.session.codec.decode
    assert list(decode(again.value or b"", own.session.pipeline.first.takes).tasks) == ["extraction"]
    assert list(decode(dead.value or b"", own.session.pipeline.first.takes).tasks) == ["exraction"]


def test_overrides_travel_as_headers_and_only_to_a_stage_that_asks_models(
    own: Installation, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_MODELSIM_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(*next(iter(write_registry(tmp_path / "models.toml", {"analyst": ["sim-a", "sim-b"]}).items())))
    own.bury("analyze", b"d1", b"bytes")
    own.bury("extract", b"d2", b"bytes")
    assert main(["dlq", "replay", "--all", "--model", "sim-b", "--prompt", "extraction@1", *FAST]) == Exit.PARTLY
    assert "extract asks no model" in str(told(capsys)["refused"])
    [again] = own.records("analyze")
    said = dict(again.headers)
    assert (said["penstock-use-model"], said["penstock-use-prompt"]) == (b"sim-b", b"extraction@1")
    assert own.records("ingest") == []


def test_no_record_of_the_ingest_topic_is_sent_with_an_override(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.bury("extract", b"d1", b"bytes")
    assert main(["dlq", "replay", "--all", "--prompt", "extraction@1", *FAST]) != Exit.DONE
    assert "no record of it may choose a model or a prompt" in str(told(capsys)["refused"])
    assert own.records("ingest") == []


def test_a_dry_run_says_how_many_why_not_and_what_it_may_cost(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit_dead("extract", submitted("d1"), Failure.CORRUPT)
    own.bury("store", b"d2", b"x" * 1_060_000)
    assert main(["dlq", "replay", "--all", "--dry-run", "--json"]) == Exit.DONE
    said = told(capsys)
    assert (said["selected"], said["eligible"], said["already_resolved"]) == (2, 1, 0)
    assert sum(dict(said["refused"]).values()) == 1  # type: ignore[call-overload]
    assert "nothing to go by" in str(said["forecast"])
    assert own.records("ingest", "dlq.receipts") == []
    assert main(["dlq", "replay", "--all", "--dry-run"]) == Exit.DONE
    assert "expected cost" in capsys.readouterr().out


def test_a_dead_letter_shows_its_attempts_and_its_schema(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    own.emit_dead("extract", submitted("d1"), Failure.CORRUPT)
    letters = DeadLetters(Reader(own.session.kafka), own.session.pipeline, own.session.codec)
    assert letters.find("extract/0/999999999999999999999") is None
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    letter = str(told(capsys)["id"])
    assert main(["dlq", "show", letter, "--json"]) == Exit.DONE
    full = told(capsys)
    assert len(str(full["schema"])) == 16
    assert {"causes", "tries", "calls", "replayed"} <= full.keys()
    assert main(["dlq", "show", letter]) == Exit.DONE
