"""What processes note of each call, for an outsider to count: lines appended to one file by all of them.

A line is one `write` to a file opened for appending, so lines of several processes never mix, and one that was written
survives `kill -9`. Times are the machine's monotonic clock, which all its processes share.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

BEGIN, END, RECORDED, FAILED = "begin", "end", "recorded", "failed"
"""A call starts; it has its result; that result is recorded; an attempt failed as it was told to, without a call."""


def answered_by(model: str) -> str:
    """The kind of the note that an answer came from this model."""
    return f"answer-by-{model}"


class Note(NamedTuple):
    """One line."""

    kind: str
    """BEGIN, END, RECORDED, FAILED, or by which model it was answered."""
    document: str
    """Document's id."""
    sequence: int
    """Which of the document's records."""
    attempt: int
    """1 at the first try."""
    process: int
    """Process id."""
    at: float
    """Monotonic seconds."""

    @property
    def call(self) -> tuple[str, int]:
        """Which call it is about."""
        return self.document, self.sequence


class Notebook:
    """Where one process notes."""

    def __init__(self, file: int) -> None:
        self._file, self._process = file, os.getpid()

    def note(self, kind: str, document: str, sequence: int, attempt: int) -> None:
        """Append one line."""
        line = f"{kind} {document} {sequence} {attempt} {self._process} {time.monotonic():.6f}\n"
        os.write(self._file, line.encode())


@contextmanager
def notebook(path: Path) -> Iterator[Notebook]:
    """The file, open for appending."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield Notebook(file)
    finally:
        os.close(file)


class Notes:
    """All that was noted so far, read on at each look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The file; it need not be there yet."""
        self._read = 0
        self._all: list[Note] = []
        self._calls: dict[str, set[tuple[str, int]]] = defaultdict(set)

    def all(self) -> list[Note]:
        """In the order in which they were written."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                whole, end, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + len(end)
            for line in whole.decode().splitlines():
                note = _parsed(line)
                self._all.append(note)
                self._calls[note.kind].add(note.call)
        return self._all

    def of(self, kind: str) -> list[Note]:
        """Those of one kind."""
        return [note for note in self.all() if note.kind == kind]

    def calls(self, kind: str) -> set[tuple[str, int]]:
        """The calls of which there is a note of that kind."""
        self.all()
        return self._calls[kind]


def _parsed(line: str) -> Note:
    kind, document, sequence, attempt, process, at = line.split(" ")
    return Note(kind, document, int(sequence), int(attempt), int(process), float(at))
