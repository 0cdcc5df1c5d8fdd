"""Where documents are, told from real topics, progress and tables."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.events import DocumentSubmitted
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core import progress
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.core.results import ResultRow
from shared.core.shelves import shelves
from shared.core.timeline import Entry, entry_of
from shared.core.topics import group
from shared.database.journal import JournalTable
from shared.database.results import ResultsTable
from shared.pipelines.identity import content_id
from tests.cli.installation import NOW, Installation, lines, submitted


def where(document: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """What `status` says."""
    assert main(["status", document, "--json"]) == Exit.DONE
    told = lines(capsys.readouterr().out)[0]
    return {name: told[name] for name in ("state", "stage", "failure")}


def at(state: str, stage: str = "", failure: str = "") -> dict[str, str]:
    return {"state": state, "stage": stage, "failure": failure}


def store(own: Installation, document_id: str, batch_id: str = "") -> None:
    row = ResultRow(
        document_id=document_id,
        tenant="default",
        version=1,
        stored_by="e1",
        submitted_at=NOW,
        finished_at=NOW,
        batch_id=batch_id,
        fields={},
        answers={},
        metadata={},
    )

    async def upsert() -> None:
        async with own.session.database() as database:
            await ResultsTable(database, own.name).upsert([row])

    asyncio.run(upsert())


def test_a_document_is_found_at_every_place_of_its_way(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    event = submitted("d1")
    assert main(["status", "d1"]) == Exit.NOT_FOUND
    own.emit("ingest", event)
    assert where("d1", capsys) == at("waiting", "extract")
    [first] = own.records("ingest")
    history = History("extract", Failure.PARSER_CRASH, "it crashed", 1, NOW, NOW, first.position)
    own.work_off("extract", first)
    own.emit("extract.retry.5s", event, history.to_headers())
    assert where("d1", capsys) == at("in-retry", "extract", "parser_crash")
    own.work_off("extract", own.records("extract.retry.5s")[0])
    own.emit("extract.parked", event, history.to_headers())
    assert where("d1", capsys)["state"] == "parked"
    own.work_off("extract", own.records("extract.parked")[0])
    own.emit_dead("extract", event, Failure.PARSER_CRASH)
    assert where("d1", capsys) == at("dead-lettered", "extract", "parser_crash")
    assert main(["dlq", "replay", "--all"]) == Exit.DONE
    capsys.readouterr()
    assert where("d1", capsys) == at("waiting", "extract")
    for record in own.records("ingest"):
        own.work_off("extract", record)
    own.put("review", b"d1", b"proposal", replace(history, stage="classify").to_headers())
    assert where("d1", capsys)["state"] == "in-review"
    own.work_off("review", own.records("review")[0])
    store(own, "d1")
    assert where("d1", capsys) == at("stored")


def test_what_was_worked_off_out_of_order_is_not_waiting(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        own.producer.produce(f"{own.name}.ingest", key=f"d{number}", value=b"x", partition=0)
    own.producer.flush(10)
    consumer = Consumer(own.session.kafka | {"group.id": group(own.name, "extract")})
    done_but_0_and_2 = TopicPartition(f"{own.name}.ingest", 0, 0, progress.encode(0, 3, [0, 2]))
    consumer.commit(offsets=[done_but_0_and_2], asynchronous=False)
    consumer.close()
    assert where("d2", capsys) == at("waiting", "extract")
    assert main(["status", "d1"]) == Exit.NOT_FOUND


def test_a_batch_is_counted_wherever_its_documents_are(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    own.emit("ingest", submitted("waiting", batch_id="b1"))
    own.emit("ingest", submitted("other", batch_id="b2"))
    own.emit_dead("extract", submitted("dead", batch_id="b1"), Failure.ENCRYPTED)
    own.emit_dead("extract", submitted("given up", batch_id="b1"), Failure.BOMB)
    assert main(["dlq", "discard", "--class", "bomb", "--reason", "hostile"]) == Exit.DONE
    store(own, "stored", "b1")
    capsys.readouterr()
    assert main(["status", "--batch", "b1", "--json"]) == Exit.DONE
    told = lines(capsys.readouterr().out)[0]
    assert told["states"] == {"waiting": 1, "dead-lettered": 1, "discarded": 1, "stored": 1}
    assert told["failures"] == {"encrypted": 1}
    assert main(["status", "--batch", "b9"]) == Exit.NOT_FOUND


def test_results_are_listed_one_object_a_line(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    store(own, "d1", "b1")
    store(own, "d2")
    assert main(["results", "--json"]) == Exit.DONE
    assert {row["document_id"] for row in lines(capsys.readouterr().out)} == {"d1", "d2"}
    assert main(["results", "--batch", "b1"]) == Exit.DONE
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["d1"]


def test_a_file_is_published_under_an_id_from_its_content_and_a_large_one_by_reference(
    own: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "letter.txt").write_bytes(b"Dear Sir")
    (folder / "deep" / "again.txt").write_bytes(b"Dear Sir")
    (folder / "large.bin").write_bytes(b"x" * 600_000)
    (folder / ".hidden").write_bytes(b"no")
    options = ["--tenant", "acme", "--batch", "b1", "--task", "qa:Who?", "--version", "3"]
    assert main(["publish", str(folder), *options, "--json"]) == Exit.DONE
    told = lines(capsys.readouterr().out)[0]
    assert len(told["published"]) == 3
    events = [own.session.codec.decode(r.value or b"", (DocumentSubmitted,)) for r in own.records("ingest")]
    by_name = {event.filename: event for event in events}
    assert by_name["letter.txt"].document_id == by_name["again.txt"].document_id == content_id("acme", b"Dear Sir")
    assert by_name["letter.txt"].content == b"Dear Sir"
    assert (by_name["letter.txt"].tasks, by_name["letter.txt"].batch_id) == (("qa:Who?",), "b1")
    assert {event.version for event in events} == {3}
    assert by_name["large.bin"].content.size == 600_000
    assert main(["publish", str(folder), "--id", "d1"]) == Exit.USAGE


def test_an_end_that_comes_before_the_waiting_begins_is_seen(
    own: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"one")
    # Kafka keeps what comes between publishing and the first poll: the dead letter is there before the wait begins.
    monkeypatch.setattr(
        "shared.cli.verbs.publish.say", lambda line: own.emit_dead("extract", submitted("d1"), Failure.EMPTY)
    )
    assert main(["publish", str(tmp_path / "a.txt"), "--id", "d1", "--wait", "--json"]) == Exit.PARTLY
    told = lines(capsys.readouterr().out)[0]
    assert (told["states"], told["published"][0]["failure"]) == ({"dead-lettered": 1}, "empty")


def test_without_a_journal_it_says_where_and_what_is_not_known(
    own: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own.emit("ingest", submitted("d1"))
    assert main(["status", "d1"]) == Exit.DONE
    told = capsys.readouterr().out
    assert "waiting at extract" in told
    assert "unknown: the journal is empty" in told
    monkeypatch.setenv("PENSTOCK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "")
    assert main(["status", "d1"]) == Exit.UNREACHABLE
    monkeypatch.setenv("PENSTOCK_DATABASE_URL", "")
    assert main(["status", "d1", "--json"]) == Exit.DONE
    outlook = lines(capsys.readouterr().out)[0]["outlook"]
    assert outlook["before"] is None
    assert [said.split(":")[0] for said in outlook["unknown"]] == [
        "breakers and pauses are not known",
        "the journal cannot be asked",
    ]
    assert main(["status", "--stuck"]) == Exit.UNREACHABLE
    assert main(["status", "d1", "--stuck"]) == Exit.USAGE


def test_who_stands_still_is_stuck_as_far_as_the_topics_agree(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit("ingest", submitted("here"))
    [record] = own.records("ingest")
    long_ago = datetime.now(UTC) - timedelta(hours=1)

    def entry(topic: str, offset: int, document: str, seconds: float) -> Entry:
        place, at = Position(f"{own.name}.{topic}", 1, offset), long_ago + timedelta(seconds=seconds)
        delivery = Delivery(place, document.encode(), b"x", (), at)
        return entry_of(delivery, shelves(own.session.pipeline, ())[place.topic], None)

    async def keep() -> None:
        names = [f"d{number}" for number in range(40)]
        entries = [entry("ingest", number, name, number) for number, name in enumerate(names)]
        entries += [entry("results", number, name, number + 1) for number, name in enumerate(names)]
        entries += [entry("ingest", 100, "here", 50), entry("ingest", 101, "long gone", 51)]
        async with own.session.database() as database:
            end = {(one.topic, one.partition): one.offset + 1 for one in entries}
            await JournalTable(database, own.name).write(entries, dict.fromkeys(end), end)

    asyncio.run(keep())
    assert main(["status", "--stuck", "--json"]) == Exit.DONE
    told = lines(capsys.readouterr().out)[0]
    assert [(one["document_id"], one["stage"], one["limit"]) for one in told["documents"]] == [("here", "extract", 30)]
    assert told["documents"][0]["position"] == str(record.position)
    assert main(["status", "--stuck"]) == Exit.DONE
    assert "here" in capsys.readouterr().out
    assert main(["pause", "extract"]) == Exit.DONE
    assert main(["status", "--stuck", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out.splitlines()[-1])[0]["documents"] == []
    assert main(["resume", "extract"]) == Exit.DONE
