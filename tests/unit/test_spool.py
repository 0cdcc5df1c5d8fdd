"""The spool's file: what a kill, a full disk or a stranger does to it."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.core.errors import Failed, Unavailable
from shared.core.ledger import Begun, Intent, Recorded, State, from_line, to_line
from shared.memory.ledger import MemoryLedger
from shared.runtime.paying.spool import Spool, chunk_of
from tests.ledgers import again, ended, intent_of

STAGE = "documents.analyze"


class Table(MemoryLedger):
    """What is behind the spool."""

    async def begin(self, intents: Sequence[Intent]) -> Sequence[Begun | Failed]:  # type: ignore[override]
        return [await MemoryLedger.begin(self, intent) for intent in intents]

    async def end(self, records: Sequence[Recorded]) -> Sequence[Recorded | Failed]:  # type: ignore[override]
        return [await MemoryLedger.end(self, record) for record in records]


def opened(folder: Path, stage: str = STAGE) -> Spool:
    """A new process's spool."""
    spool = Spool(folder, stage, "one")
    assert spool.open() == 0
    return spool


def files(folder: Path) -> list[Path]:
    """Those that are there."""
    return sorted(folder.iterdir())


async def filled(folder: Path, *questions: str) -> list[Intent]:
    """Leave a file behind, as a process that is killed does."""
    spool, intents = opened(folder), [intent_of(question) for question in questions]
    for one in intents:
        await spool.begin(one)
        await spool.end(ended(one))
    os.close(spool._file)
    return intents


async def test_a_line_that_a_kill_has_torn_is_ignored_and_all_before_it_is_known(tmp_path: Path) -> None:
    one, two = await filled(tmp_path, "one", "two")
    [path] = files(tmp_path)
    whole = path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        spool = opened(tmp_path)
        assert (await spool.begin(again(one))).found
        assert await spool.begin(again(two)) == Begun(repeat=True)
        os.close(spool._file)
        [path] = files(tmp_path)
        assert path.read_bytes().endswith(b"\n")


async def test_lines_that_are_none_are_counted_and_left_out(tmp_path: Path) -> None:
    [one] = await filled(tmp_path, "one")
    [path] = files(tmp_path)
    path.write_bytes(b"\0\0\0\n[]\n{}\n" + path.read_bytes() + b'{"intent": 3, "state": "accepted"}\n')
    spool = Spool(tmp_path, STAGE, "one")
    assert spool.open() == 4
    assert (await spool.begin(again(one))).found


async def test_the_file_of_a_process_that_lives_is_left_alone_and_so_are_other_stages(tmp_path: Path) -> None:
    alive = opened(tmp_path)
    await alive.begin(intent_of("alive"))
    stranger = opened(tmp_path, "documents.analyze2")
    await stranger.begin(intent_of("stranger"))
    other = opened(tmp_path)
    assert other.lines == 0
    assert len(files(tmp_path)) == 2


async def test_an_emptied_spool_leaves_no_file(tmp_path: Path) -> None:
    intents = await filled(tmp_path, "one", "two", "three")
    spool, table = opened(tmp_path), Table()
    assert spool.lines == 6
    assert [repeat async for repeat in spool.drain(table)] == []
    assert spool.lines == spool.size == 0
    assert {row.record.state for row in table.rows.values()} == {State.ACCEPTED}
    assert table.rows.keys() == {one.fingerprint for one in intents}
    spool.close()
    assert files(tmp_path) == []


async def test_lines_that_come_while_it_is_drained_are_drained_too(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    late: list[Intent] = []

    class Slow(Table):
        async def begin(self, intents: Sequence[Intent]) -> Sequence[Begun | Failed]:  # type: ignore[override]
            if len(late) < 3:
                late.append(intent_of(f"late {len(late)}"))
                await spool.begin(late[-1])
            return await super().begin(intents)

    await spool.begin(intent_of("early"))
    table = Slow()
    assert [repeat async for repeat in spool.drain(table)] == []
    assert len(table.rows) == 4
    assert spool.lines == 0
    spool.close()


async def test_a_full_disk_makes_work_wait_and_tears_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = opened(tmp_path)
    first, second = intent_of("first"), intent_of("second")
    await spool.begin(first)
    real = os.write

    def full(file: int, data: bytes) -> int:
        real(file, data[:10])
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(Unavailable, match="no space left"):
            await spool.begin(second)
    assert await spool.begin(again(second)) == Begun()
    assert [from_line(line) for line in files(tmp_path)[0].read_bytes().splitlines()]
    spool.close()


async def test_a_full_spool_begins_nothing_new_and_still_keeps_what_is_paid(tmp_path: Path) -> None:
    spool = Spool(tmp_path, STAGE, "one", largest=100)
    one = intent_of("one")
    await spool.begin(one)
    with pytest.raises(Unavailable, match="the spool is full"):
        await spool.begin(intent_of("two"))
    await spool.end(ended(one))
    assert spool.lines == 2
    spool.close()


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
from shared.runtime.paying.spool import Spool
from tests.ledgers import ended, intent_of
async def main():
    spool = Spool(Path({str(tmp_path)!r}), {STAGE!r}, "one")
    async def caller(name):
        for number in range(10**6):
            one = intent_of(f"{{name}} {{number}}")
            await spool.begin(one)
            await spool.end(ended(one))
            print(one.fingerprint, flush=True)
    await asyncio.gather(*(caller(name) for name in range(8)))
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    answered += [line for line in process.stdout.read().split("\n")[:-1] if len(line) == 64]
    process.wait()
    process.stdout.close()
    spool = opened(tmp_path)
    states = {name: row.record.state for name, row in spool.rows.items()}
    assert len(answered) >= 200
    assert {states.get(name) for name in answered} == {State.ACCEPTED}
    # At most one call of each caller was under way.
    assert sum(state is not State.ACCEPTED for state in states.values()) <= 8
    os.close(spool._file)


def test_a_chunk_ends_where_a_request_would_be_told_out_of_order() -> None:
    one, other = intent_of("one"), intent_of("other")
    second = again(one)
    entries = [one, other, ended(one), second, ended(second)]
    assert list(chunk_of(entries, 0)) == entries[:3]
    assert list(chunk_of(entries, 3)) == entries[3:]
    assert list(chunk_of(entries, 0, most=2)) == entries[:2]


def test_a_line_comes_back_as_it_was() -> None:
    one = intent_of("a\0\ud800\n")
    for entry in (one, ended(one)):
        assert "\n" not in to_line(entry)
        assert from_line(to_line(entry).encode()) == entry


async def test_two_processes_may_take_over_at_once(tmp_path: Path) -> None:
    await filled(tmp_path, *map(str, range(20)))
    spools = [Spool(tmp_path, STAGE, "one") for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(spool.open) for spool in spools))
    assert sorted(spool.lines for spool in spools) == [0, 0, 0, 40]
    for spool in spools:
        spool.close()
