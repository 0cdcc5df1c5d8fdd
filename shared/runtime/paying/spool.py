"""Where intents and results go while PostgreSQL is away: a file of this process slot, and its rows in memory.

    <home>/spool/<pipeline>.<stage>.<instance>.<random>   a line of JSON for each intent and result, only appended to

The promise while it is in use: what `begin` or `end` returned survives the process, for whoever runs this stage on this
machine next; nobody elsewhere knows of it until PostgreSQL is back. It is emptied in this order:

    1. the oldest lines are given to PostgreSQL, which commits them
    2. only when all are, the file is cut to nothing and the rows are forgotten
    3. from then on PostgreSQL is asked about these requests again
A process killed between 1 and 2 leaves lines that PostgreSQL knows; each has its ticket, so telling them again does
nothing. While a request has lines here, all that is new about it goes behind them: so 2 never loses a later line.
"""

import asyncio
import errno
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from shared.core import ledger as rules
from shared.core.errors import Failed, Unavailable
from shared.core.ledger import Begun, Intent, Recorded, Row, State, from_line, to_line
from shared.database.errors import NAME
from shared.database.group import Group

LARGEST = 256 << 20
"""Bytes of a spool: its rows are in memory too. Beyond it, work that needs the ledger waits for PostgreSQL."""
CHUNK = 500
"""Most lines that are given to PostgreSQL at once."""

Entry = Intent | Recorded


class Table(Protocol):
    """Where lines go in the end."""

    async def begin(self, intents: Sequence[Intent]) -> Sequence[Begun | Failed]: ...
    async def end(self, records: Sequence[Recorded]) -> Sequence[Recorded | Failed]: ...


class Spool:
    """One process's spool; implements `Ledger`."""

    def __init__(self, folder: Path, stage: str, instance: str, largest: int = LARGEST) -> None:
        """`stage` is `<pipeline>.<stage>`, `instance` this process's name among those of the stage."""
        self.rows: dict[str, Row] = {}
        self.size = 0
        self._folder, self._stage, self._instance, self._largest = folder, stage, instance, largest
        self._file = -1
        self._path = Path()
        self._entries: list[Entry] = []
        self._told = 0
        # A disk is not given up on: a line that may yet be written must not be told as lost.
        self._group: Group[bytes, None] = Group(self._write, patience=3600.0)
        self._disk = asyncio.Lock()

    @property
    def lines(self) -> int:
        """Lines that PostgreSQL does not know yet."""
        return len(self._entries) - self._told

    def open(self) -> int:
        """Take over what processes of the stage that are no more have left here; gives how many lines are unreadable.

        The lines of all are written to this process's own file before theirs are removed: a kill in between doubles
        lines, which their tickets make harmless.
        """
        left = [(path, file) for path in self._folder.glob(f"{self._stage}.*") if (file := _orphan(path)) >= 0]
        unreadable = 0
        for path, _ in left:
            # What stands behind the last line end was torn by a kill, and nobody was told that it is kept.
            for line in path.read_bytes().split(b"\n")[:-1]:
                try:
                    self._apply(from_line(line))
                except ValueError:
                    unreadable += 1
        if self._entries:
            self._append(b"".join(to_line(entry).encode() + b"\n" for entry in self._entries))
        for path, file in left:
            path.unlink(missing_ok=True)
            os.close(file)
        return unreadable

    def close(self) -> None:
        """Leave no file behind, unless somebody has to read it."""
        if self._file >= 0:
            if not self.lines:
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    async def begin(self, intent: Intent) -> Begun:
        """Look up among the lines, and note the intent. Raises Unavailable where the file takes no more."""
        if self.size >= self._largest:
            raise Unavailable(NAME, f"PostgreSQL is away, and the spool is full ({self.size:,} bytes)", after=5.0)
        intent = replace(intent, at=intent.at or datetime.now(UTC))
        row, begun = rules.begin(self.rows.get(intent.fingerprint), intent)
        if begun.found is None:
            self.rows[intent.fingerprint] = row
            self._entries.append(intent)
            try:
                await self._group.add(to_line(intent).encode() + b"\n")
            except Unavailable:
                self._apply(Recorded(intent, State.FAILED, at=intent.at))  # it is not made
                raise
        return begun

    async def end(self, record: Recorded) -> Recorded:
        """Keep a result; gives the one to be used. Raises Unavailable where the file cannot be written."""
        record = replace(record, at=record.at or datetime.now(UTC))
        stands = self._apply(record)
        # Also beyond the limit: this one is paid.
        await self._group.add(to_line(record).encode() + b"\n")
        return stands

    async def drain(self, table: Table) -> AsyncIterator[Intent]:
        """Give all to PostgreSQL; tells of the calls that were repeats, as only it could know. Raises Unavailable."""
        while self.lines:
            chunk = chunk_of(self._entries, self._told)
            intents = [entry for entry in chunk if isinstance(entry, Intent)]
            begun = await table.begin(intents) if intents else []
            if records := [entry for entry in chunk if isinstance(entry, Recorded)]:
                await table.end(records)
            self._told += len(chunk)  # 1. committed
            for intent, said in zip(intents, begun, strict=True):
                if isinstance(said, Begun) and self._news(intent, said):
                    yield intent
        async with self._disk:
            if not self.lines:
                self._forget()  # 2. nothing has been added since the last look, and no thread writes

    def _forget(self) -> None:
        """Cut the file. A line that is written after this, but was told before, does no harm in it."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
        self.size = self._told = 0
        self._entries.clear()
        self.rows.clear()

    def _news(self, intent: Intent, said: Begun) -> bool:
        """Whether another try of the call was known in PostgreSQL, and none here."""
        if said.found is not None:
            return said.found.intent.ticket != intent.ticket
        return said.repeat and not self.rows[intent.fingerprint].repeats

    def _apply(self, entry: Entry) -> Recorded:
        intent = entry.intent if isinstance(entry, Recorded) else entry
        row = self.rows.get(intent.fingerprint)
        if isinstance(entry, Recorded):
            self.rows[intent.fingerprint], stands = rules.end(row, entry)
        else:
            self.rows[intent.fingerprint], _ = rules.begin(row, entry)
            stands = self.rows[intent.fingerprint].record
        self._entries.append(entry)
        return stands

    async def _write(self, lines: Sequence[bytes]) -> Sequence[None]:
        try:
            async with self._disk:
                await asyncio.to_thread(self._append, b"".join(lines))
        except OSError as error:
            raise Unavailable(NAME, f"PostgreSQL is away, and the spool cannot be written: {error}", 5.0) from error
        return [None] * len(lines)

    def _append(self, data: bytes) -> None:
        """Write and sync; a failed write leaves no half line, for the next one would be joined to it."""
        if self._file < 0:
            self._create()
        whole = os.fstat(self._file).st_size
        try:
            if os.write(self._file, data) < len(data):
                raise OSError(errno.ENOSPC, "the disk is full")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, whole)
            raise
        self.size = whole + len(data)

    def _create(self) -> None:
        """Make the file and lock it before it has its name: unlocked under that name it would pass for left behind."""
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = secrets.token_hex(4)
        hidden = self._folder / f".new-{mark}"
        file = os.open(hidden, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._path = self._folder / f"{self._stage}.{quote(self._instance, safe='')}.{mark}"
        hidden.rename(self._path)
        self._file = file


def _orphan(path: Path) -> int:
    """The open and locked file of a process that is no more; -1 where it lives, or another one was faster."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():
            return file
    except BlockingIOError:
        pass
    os.close(file)
    return -1


def chunk_of(entries: Sequence[Entry], start: int, most: int = CHUNK) -> Sequence[Entry]:
    """The next lines that may go together: intents go before results, so a request may have one of each, in order."""
    seen: dict[str, type[Entry]] = {}
    for number in range(start, min(start + most, len(entries))):
        entry = entries[number]
        name = entry.intent.fingerprint if isinstance(entry, Recorded) else entry.fingerprint
        if name in seen and (seen[name] is Recorded or isinstance(entry, Intent)):
            return entries[start:number]
        seen[name] = type(entry)
    return entries[start : start + most]
