"""`penstock audit` and `penstock journal` on real topics and tables, with nothing running."""

import asyncio
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.delivery import Delivery
from shared.core.shelves import shelves
from shared.core.timeline import entry_of
from shared.core.topics import group
from shared.database.journal import JournalTable
from tests.cli.installation import Installation, lines, submitted


@pytest.fixture(autouse=True)
def joined(own: Installation) -> None:
    """A group that has begun: a Kafka that has never had any takes a quarter of a minute to say that there is none."""
    consumer = Consumer(own.session.kafka | {"group.id": group(own.name, "extract")})
    consumer.commit(offsets=[TopicPartition(f"{own.name}.ingest", 0, 0)], asynchronous=False)
    consumer.close()


def told(capsys: pytest.CaptureFixture[str], code: Exit, *options: str) -> dict[str, Any]:
    """What the audit says."""
    assert main(["audit", "--json", *options]) == code
    answer: dict[str, Any] = lines(capsys.readouterr().out)[0]
    return answer


def test_what_is_worked_off_without_a_trace_is_named_and_nothing_else(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, Exit.DONE)["published"] == 0
    own.emit("ingest", submitted("d1", batch_id="b1"))
    [first] = own.records("ingest")
    own.put("ingest", None, b"rubbish")
    own.put("classify", b"d2", None)
    own.put("results", b"", b"")
    answer = told(capsys, Exit.FAILED)
    assert [(one["kind"], one["document"]) for one in answer["findings"]] == [("unexplained", "")]
    assert (answer["published"], answer["entered"], answer["states"]["waiting"]) == (2, 1, 3)
    own.work_off("extract", first)
    answer = told(capsys, Exit.FAILED, "--batch", "b1")
    assert [(one["kind"], one["document"], one["stage"]) for one in answer["findings"]] == [
        ("missing", "d1", "extract")
    ]
    assert told(capsys, Exit.DONE, "--stage", "store")["stages"] == {}
    assert main(["audit"]) == Exit.FAILED
    said = capsys.readouterr()
    assert "d1" in said.out
    assert "does not hold" in said.err
    assert main(["audit", "--stage", "stoer"]) == Exit.USAGE


def test_a_dead_letter_that_somebody_copied_back_with_all_its_headers_is_no_loss(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit("ingest", submitted("d1"))
    [first] = own.records("ingest")
    own.put("ingest", first.key, first.value, [("penstock-origin", str(first.position).encode())])
    answer = told(capsys, Exit.DONE)
    assert (answer["published"], answer["states"]) == (2, {"waiting": 2})


def test_records_that_were_deleted_without_a_checkpoint_are_told(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit("ingest", submitted("d1"))
    [first] = own.records("ingest")
    own.emit("ingest", submitted("d1", version=2))
    place = TopicPartition(first.position.topic, first.position.partition, first.position.offset + 1)
    admin = AdminClient(own.session.kafka)
    for future in admin.delete_records([place]).values():
        future.result(10)
    answer = told(capsys, Exit.FAILED)
    assert [one["kind"] for one in answer["findings"]] == ["deleted"]
    assert answer["findings"][0]["place"] == f"{place.topic}/{place.partition}"


def test_the_journal_is_shown_and_emptied(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    own.emit("ingest", submitted("d1", batch_id="b1"))
    asyncio.run(written(own, own.records("ingest")))
    assert main(["journal", "show", "d1", "--json"]) == Exit.DONE
    [line] = lines(capsys.readouterr().out)
    assert (line["kind"], line["stage"], line["state"], line["batch_id"]) == ("arrived", "extract", "waiting", "b1")
    assert main(["journal", "show", "d1"]) == Exit.DONE
    assert main(["journal", "batches"]) == Exit.DONE
    assert "b1" in capsys.readouterr().out
    assert main(["journal", "rebuild", "--json"]) == Exit.DONE
    assert main(["journal", "show", "d1"]) == Exit.NOT_FOUND


async def written(own: Installation, records: list[Delivery]) -> None:
    """Put them into the journal."""
    known = shelves(own.session.pipeline, own.session.ends)
    entries = []
    for record in records:
        shelf = known[record.position.topic]
        entries.append(entry_of(record, shelf, own.session.codec.decode(record.value or b"", shelf.takes)))
    end = {(one.topic, one.partition): one.offset + 1 for one in entries}
    async with own.session.database() as database:
        await JournalTable(database, own.name).write(entries, dict.fromkeys(end), end)
