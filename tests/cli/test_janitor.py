"""`penstock janitor` on real topics and tables: what everybody is done with goes, and nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.event import Position
from shared.core.topics import group
from shared.database.deletions import DeletionsTable
from shared.kafka.reading import Reader, Span
from shared.kafka.receipts import Entry, Plan, Receipt, frozen
from shared.kafka.resolving import Writer
from shared.kafka.retention import Keeper
from tests.cli.installation import NOW, Installation, submitted
from tests.cli.sweeping import Sweeping


@pytest.fixture
def sweeping(own: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sweeping:
    """Nothing is too young to go."""
    monkeypatch.setenv("PENSTOCK_JANITOR__KEEP_DAYS", "0")
    consumer = Consumer(own.session.kafka | {"group.id": group(own.name, "extract")})
    consumer.commit(offsets=[TopicPartition(f"{own.name}.ingest", 0, 0)], asynchronous=False)
    consumer.close()
    return Sweeping(own, capsys)


def test_where_there_are_webhooks_an_end_stays_until_they_are_told(
    sweeping: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_WEBHOOKS", "hooks.toml")
    sweeping.ended()
    said = sweeping.run()
    assert (said["deleted"], sweeping.held(said, "ingest")) == (0, {"the webhooks"})
    asyncio.run(sweeping.told_by_the_webhooks())
    assert sweeping.run()["deleted"] == 2


def test_what_everybody_is_done_with_goes_and_the_audit_says_the_same(sweeping: Sweeping) -> None:
    for number in range(3):
        sweeping.ended(f"d{number}")
    before = sweeping.audit()
    dry = sweeping.run("--dry-run")
    assert (dry["deleted"], len(sweeping.own.records("ingest"))) == (0, 3)
    assert sweeping.held(dry, "ingest") == {"the audit's checkpoint"}
    said = sweeping.run()
    assert (said["deleted"], said["settled"]) == (6, 3)
    assert sweeping.own.records("ingest", "extract.dlq") == []
    assert sweeping.audit() == before
    again = sweeping.run()
    assert (again["deleted"], again["folded"]) == (0, 0)
    noted = asyncio.run(deletions(sweeping.own))
    assert sum(row["next"] - row["begin"] for row in noted) == 6
    sweeping.ended("d0")
    assert sweeping.audit()["states"] == {"discarded": 4}


async def deletions(own: Installation) -> Any:
    async with own.session.database() as database:
        return await DeletionsTable(database, own.name).noted()


def test_a_dead_letter_that_nobody_acted_on_stays_and_so_does_what_a_replay_may_take(sweeping: Sweeping) -> None:
    letter = sweeping.buried()
    sweeping.ended("d1")
    said = sweeping.run()
    assert said["deleted"] == 0
    assert sweeping.held(said, "ingest") == sweeping.held(said, "extract.dlq") == {"document d1, which has not ended"}
    assert main(["dlq", "replay", letter, "--reason", "test", "--patience", "0.2", "--json"]) is not None
    sweeping.capsys.readouterr()
    assert len(sweeping.of("ingest", "d1")) == 3
    assert sweeping.run()["deleted"] == 0


def test_below_the_progress_of_every_group_only(sweeping: Sweeping) -> None:
    first = sweeping.ingested()
    sweeping.ended()
    for name in ("lagging", "lagging too"):
        consumer = Consumer(sweeping.own.session.kafka | {"group.id": f"{sweeping.own.name} {name}"})
        place = first.position
        consumer.commit(offsets=[TopicPartition(place.topic, place.partition, place.offset)], asynchronous=False)
        consumer.close()
    said = sweeping.run()
    assert len(sweeping.of("ingest", "d1")) == 2
    assert any("lagging" in who or "not ended" in who for who in sweeping.held(said, "ingest"))


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_that_has_joined_and_committed_nothing_needs_all(sweeping: Sweeping, protocol: str) -> None:
    sweeping.ended()
    name = f"{sweeping.own.name} fresh"
    own = {"group.id": name, "group.protocol": protocol, "auto.offset.reset": "earliest"}
    consumer = Consumer(sweeping.own.session.kafka | own)
    consumer.subscribe([f"{sweeping.own.name}.ingest"])
    try:
        while not consumer.assignment():
            consumer.poll(0.1)
        assert sweeping.held(sweeping.run(), "ingest") == {f"group {name}"}
        assert len(sweeping.own.records("ingest")) == 1
    finally:
        consumer.close()


def test_a_stage_that_has_never_worked_needs_all(sweeping: Sweeping) -> None:
    sweeping.own.put("store", b"d1", b"rubbish")
    assert sweeping.held(sweeping.run(), "store") == {f"group {sweeping.own.name}.store"}
    assert len(sweeping.own.records("store")) == 1


def test_what_the_journal_has_not_read_stays(sweeping: Sweeping) -> None:
    sweeping.ended()
    said = sweeping.run(journal=False)
    assert (said["deleted"], sweeping.held(said, "ingest")) == (0, {"the journal"})
    assert sweeping.run()["deleted"] == 2


def test_what_is_young_stays(sweeping: Sweeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_JANITOR__KEEP_DAYS", "7")
    sweeping.ended()
    said = sweeping.run()
    assert (said["deleted"], sweeping.held(said, "ingest")) == (0, {"their age"})
    assert said["settled"] == 1


def test_an_age_is_that_of_the_first_record_that_is_young_whatever_clocks_say(sweeping: Sweeping) -> None:
    """A clock that is behind makes records old: age is one bound of many. One that is ahead keeps what is behind it."""
    topic, now = f"{sweeping.own.name}.ingest", datetime.now(UTC)
    for ahead in (timedelta(days=-9), timedelta(minutes=30), timedelta(days=-8)):
        at = int((now + ahead).timestamp() * 1000)
        sweeping.own.producer.produce(topic, b"x", b"d1", partition=0, timestamp=at)
    assert sweeping.own.producer.flush(10) == 0
    keeper = Keeper(Reader(sweeping.own.session.kafka), sweeping.own.session.pipeline)
    spans = {(topic, 0): Span(0, 3)}
    for than, offset in ((now, 1), (now + timedelta(hours=1), 3), (now - timedelta(days=10), 0)):
        assert keeper.younger(spans, than)[topic, 0][0].offset == offset


def test_a_stage_that_rests_with_parked_and_waiting_records_keeps_them(sweeping: Sweeping) -> None:
    record = sweeping.ingested()
    headers = (("penstock-stage", b"extract"), ("penstock-origin", str(record.position).encode()))
    sweeping.own.put("extract.parked", record.key, record.value, headers)
    sweeping.ended("d1")
    sweeping.own.emit("ingest", submitted("d1", version=3))
    for _ in range(2):
        sweeping.run()
    assert len(sweeping.own.records("extract.parked")) == 1
    assert sweeping.of("ingest", "d1")[0] == record


def test_what_a_replay_has_chosen_stays_until_it_is_done(sweeping: Sweeping) -> None:
    letter = sweeping.ended()
    source = str(sweeping.of("ingest", "d1")[0].position)
    writer = Writer(sweeping.own.session.kafka, sweeping.own.name)
    receipt = Receipt(id="r1", by="test", at=NOW.isoformat(), letters=1)
    writer.write(list(frozen(sweeping.own.name, Plan(receipt, (Entry(letter, 1, source),), {}))))
    said = sweeping.run()
    assert said["deleted"] == 0
    assert sweeping.held(said, "ingest") == sweeping.held(said, "extract.dlq") == {"replay r1, which is open"}
    done = Receipt(id="r1", by="test", at=NOW.isoformat(), letters=1, state="done")
    writer.write(list(frozen(sweeping.own.name, Plan(done, (Entry(letter, 1, source),), {}))))
    assert sweeping.run()["deleted"] == 2


def test_where_records_are_gone_that_nothing_accounts_for_nothing_is_folded_and_nothing_deleted(
    sweeping: Sweeping, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sweeping.ingested().position
    sweeping.ended()
    remove(sweeping.own, first)
    asyncio.run(sweeping.read_by_the_journal())
    assert main(["janitor", "--once"]) == Exit.UNREACHABLE
    assert "no checkpoint" in capsys.readouterr().err
    assert {one["kind"] for one in sweeping.audit(Exit.FAILED)["findings"]} >= {"deleted"}


def test_an_open_document_whose_record_is_gone_is_told_behind_the_fold(sweeping: Sweeping) -> None:
    letter = sweeping.buried()
    sweeping.run()
    place = Position.parse(f"{sweeping.own.name}.extract.dlq/{letter.partition('/')[2]}")
    remove(sweeping.own, place)
    [found] = sweeping.audit(Exit.FAILED)["findings"]
    assert (found["kind"], found["document"], found["place"]) == ("deleted", "d1", str(place))


def test_postgresql_that_was_emptied_is_told_and_nothing_more_goes(sweeping: Sweeping) -> None:
    sweeping.ended()
    assert sweeping.run()["deleted"] == 2
    asyncio.run(empty(sweeping.own))
    assert {one["kind"] for one in sweeping.audit(Exit.FAILED)["findings"]} >= {"deleted"}
    sweeping.ended("d1")
    asyncio.run(sweeping.read_by_the_journal())
    assert main(["janitor", "--once"]) == Exit.UNREACHABLE
    assert len(sweeping.of("ingest", "d1")) == 1


async def empty(own: Installation) -> None:
    async with own.session.database() as database, database.work() as connection:
        for table in ("audit_checkpoints", "audit_documents"):
            await connection.execute(f"delete from {table} where pipeline = %s", [own.name])  # type: ignore[arg-type]


def test_two_at_once_delete_the_same_once(sweeping: Sweeping) -> None:
    for number in range(4):
        sweeping.ended(f"d{number}")
    asyncio.run(sweeping.read_by_the_journal())

    async def both() -> None:
        run = [asyncio.to_thread(main, ["janitor", "--once", "--json"]) for _ in range(2)]
        assert await asyncio.gather(*run) == [Exit.DONE, Exit.DONE]

    asyncio.run(both())
    assert sweeping.own.records("ingest", "extract.dlq") == []
    sweeping.capsys.readouterr()
    assert sweeping.audit()["states"] == {"discarded": 4}


def remove(own: Installation, place: Position) -> None:
    """Delete a record and all before it."""
    admin = AdminClient(own.session.kafka)
    for future in admin.delete_records([TopicPartition(place.topic, place.partition, place.offset + 1)]).values():
        future.result(10)
