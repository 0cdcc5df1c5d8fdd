"""Documents that end, and what the janitor does about them, for its tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.delivery import Delivery
from shared.core.failures import Failure
from shared.core.headers import History
from shared.database.journal import JournalTable
from shared.database.notices import NoticesTable
from shared.kafka.reading import Reader
from tests.cli.installation import NOW, Installation, lines, submitted


class Sweeping:
    """Documents that end, and what the janitor does about them."""

    def __init__(self, own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
        self.own, self.capsys = own, capsys

    def ingested(self, document: str = "d1") -> Delivery:
        """A document that came, and that extract has worked off."""
        self.own.emit("ingest", submitted(document))
        record = max(self.of("ingest", document), key=lambda one: one.position.offset)
        self.own.work_off("extract", record)
        return record

    def of(self, topic: str, document: str) -> list[Delivery]:
        """The document's records."""
        return [one for one in self.own.records(topic) if one.key == document.encode()]

    def buried(self, document: str = "d1") -> str:
        """A document that extract gave up; the letter's id."""
        record = self.ingested(document)
        history = History("extract", Failure.CORRUPT, "torn", 1, NOW, NOW, record.position)
        self.own.put("extract.dlq", record.key, record.value, history.to_headers())
        place = max(self.of("extract.dlq", document), key=lambda one: one.position.offset).position
        return f"extract/{place.partition}/{place.offset}"

    def ended(self, document: str = "d1") -> str:
        """A document that an operator discarded."""
        letter = self.buried(document)
        assert main(["dlq", "discard", letter, "--reason", "test", "--json"]) == Exit.DONE
        self.capsys.readouterr()
        return letter

    def run(self, *options: str, journal: bool = True) -> dict[str, Any]:
        """One run; the journal has read all that there is."""
        if journal:
            asyncio.run(self.read_by_the_journal())
        assert main(["janitor", "--once", "--json", *options]) == Exit.DONE
        [said] = lines(self.capsys.readouterr().out)
        return dict(said)

    async def read_by_the_journal(self) -> None:
        """Move the journal's positions to the ends."""
        async with self.own.session.database() as database:
            table = JournalTable(database, self.own.name)
            known, ends = await table.positions(), self.ends("ingest", "extract.dlq", "store")
            await table.write([], {part: known.get(part) for part in ends}, ends)

    async def told_by_the_webhooks(self) -> None:
        """Move the positions of the webhooks' reader to the ends."""
        async with self.own.session.database() as database:
            table = NoticesTable(database, self.own.name)
            known, ends = await table.positions(), self.ends("ingest", "extract.dlq", "dlq.resolved")
            await table.write([], [], {part: known.get(part) for part in ends}, ends)

    def ends(self, *topics: str) -> dict[tuple[str, int], int]:
        """Where they end."""
        spans = Reader(self.own.session.kafka).spans([f"{self.own.name}.{one}" for one in topics])
        return {part: span.end for part, span in spans.items()}

    def held(self, said: dict[str, Any], topic: str) -> set[str]:
        """Who needs that topic."""
        return {one["held"] for one in said["partitions"] if one["topic"] == f"{self.own.name}.{topic}"}

    def audit(self, code: Exit = Exit.DONE) -> dict[str, Any]:
        """What the audit says."""
        assert main(["audit", "--json"]) == code
        [said] = lines(self.capsys.readouterr().out)
        return dict(said)
