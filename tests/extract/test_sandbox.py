"""The sandbox survives what documents and operators do to it."""

import asyncio
import contextlib
import os
import signal
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from services.extract.cell.keeper import ZygoteLost
from services.extract.extraction import MIB, Extraction, Limits, Unreadable
from services.extract.sandbox import Sandbox
from shared.core.failures import Failure
from tests.extract import files

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = Limits(seconds=2, ocr=False)
SLOW = files.slow_pdf()
MODERATE = zlib.compress(b"60 w 0 0 m 500 900 900 500 0 800 c 800 0 0 0 700 700 c S\n" * 3_000)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(LIMITS, workers=2) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def patient() -> AsyncIterator[Sandbox]:
    async with Sandbox(Limits(seconds=60, ocr=False), workers=2) as running:
        yield running


def family(pid: int) -> set[psutil.Process]:
    """The living processes that descend from a process."""
    try:
        return {child for child in psutil.Process(pid).children(recursive=True) if is_alive(child)}
    except psutil.NoSuchProcess:
        return set()


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def busy(processes: set[psutil.Process]) -> list[psutil.Process]:
    """The workers that have burnt a third of a second; the zygote, which has children, is none."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if (
                "zygote" in " ".join(process.cmdline())
                and not process.children()
                and sum(process.cpu_times()[:2]) > 0.3
            ):
                found.append(process)
    return found


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition; looking again is all that can be done about another process."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_document_that_hangs_is_killed_in_time_and_others_are_read_meanwhile(sandbox: Sandbox) -> None:
    started = asyncio.get_running_loop().time()
    hanging = asyncio.create_task(sandbox.read(SLOW, "slow.pdf"))
    others = [await sandbox.read(files.pdf(f"number {number}")) for number in range(20)]
    assert not hanging.done()
    found = await hanging
    assert isinstance(found, Unreadable)
    assert found.failure is Failure.PARSER_TIMEOUT
    assert found.message == "slow.pdf was not read within 2 s; split it or raise the limit."
    assert asyncio.get_running_loop().time() - started < 10
    assert [other.text for other in others if isinstance(other, Extraction)] == [f"number {n}" for n in range(20)]


async def test_many_documents_at_once_each_get_their_own_text(sandbox: Sandbox) -> None:
    found = await asyncio.gather(*(sandbox.read(files.pdf(f"number {number}")) for number in range(50)))
    assert [one.text for one in found if isinstance(one, Extraction)] == [f"number {number}" for number in range(50)]


async def test_a_large_document_and_a_large_text_cross_the_border(sandbox: Sandbox) -> None:
    text = "\n".join(f"line {number} äöü€😀" for number in range(200_000))
    found = await sandbox.read(text.encode(), "large.txt")
    assert isinstance(found, Extraction)
    assert found.text == text


async def test_a_worker_killed_once_by_somebody_else_costs_nothing(patient: Sandbox) -> None:
    before = family(os.getpid())
    reading = asyncio.create_task(patient.read(files.raw_pdf(MODERATE), "moderate.pdf"))
    await until(lambda: busy(family(os.getpid())))
    busy(family(os.getpid()))[0].send_signal(signal.SIGKILL)
    found = await reading
    assert isinstance(found, Unreadable)
    assert found.failure is Failure.SCANNED
    assert before


async def test_a_worker_killed_twice_is_a_bomb(patient: Sandbox) -> None:
    reading = asyncio.create_task(patient.read(SLOW, "killer.pdf"))
    for _ in range(2):
        await until(lambda: busy(family(os.getpid())))
        for process in busy(family(os.getpid())):
            process.send_signal(signal.SIGKILL)
            await until(lambda process=process: not is_alive(process))  # type: ignore[misc]
    found = await reading
    assert isinstance(found, Unreadable)
    assert found.failure is Failure.BOMB
    assert isinstance(await patient.read(b"still here"), Extraction)


async def test_a_cancelled_reading_kills_its_worker(patient: Sandbox) -> None:
    reading = asyncio.create_task(patient.read(SLOW, "cancelled.pdf"))
    await until(lambda: busy(family(os.getpid())))
    worker = busy(family(os.getpid()))[0]
    reading.cancel()
    await until(lambda: not is_alive(worker))
    assert isinstance(await patient.read(b"still here"), Extraction)


async def test_the_loss_of_the_zygote_is_survived() -> None:
    before = family(os.getpid())
    async with Sandbox(LIMITS, workers=1) as running:
        for process in family(os.getpid()) - before:
            process.kill()
        await until(lambda: not any(is_alive(process) for process in family(os.getpid()) - before))
        found = await running.read(b"born again")
        assert isinstance(found, Extraction)
    assert family(os.getpid()) <= before


async def test_a_reader_out_of_memory_is_a_bomb() -> None:
    padded = files.archive({"word/document.xml": b"<a>" + os.urandom(1) * (95 * MIB)})
    async with Sandbox(Limits(memory=256 * MIB, ocr=False), workers=1) as small:
        found = await small.read(padded, "fat.docx")
        assert isinstance(found, Unreadable)
        assert found.failure is Failure.BOMB
        assert isinstance(await small.read(b"still here"), Extraction)


async def test_the_death_of_the_service_takes_busy_workers_with_it(tmp_path: Path) -> None:
    slow = tmp_path / "slow.pdf"
    slow.write_bytes(SLOW)
    program = (
        "import asyncio, pathlib, sys\n"
        "from services.extract.extraction import Limits\n"
        "from services.extract.sandbox import Sandbox\n"
        "async def main():\n"
        "    async with Sandbox(Limits(seconds=60, ocr=False), workers=2) as sandbox:\n"
        "        await sandbox.read(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "asyncio.run(main())\n"
    )
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(slow))
    await until(lambda: busy(family(service.pid)))
    workers = family(service.pid)
    assert len(workers) >= 2
    service.kill()
    await service.wait()
    await until(lambda: not any(is_alive(worker) for worker in workers))


async def test_closing_the_sandbox_leaves_no_process() -> None:
    before = family(os.getpid())
    async with Sandbox(LIMITS, workers=2) as running:
        await asyncio.gather(*(running.read(b"some text") for _ in range(4)))
        assert family(os.getpid()) - before
    assert not family(os.getpid()) - before


async def test_a_long_scan_is_scanned_where_ocr_is_off_and_too_large_where_it_is_on() -> None:
    pages = [files.picture("page") for _ in range(4)]
    scan = files.encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    for on, failure in ((False, Failure.SCANNED), (True, Failure.TOO_LARGE)):
        async with Sandbox(Limits(ocr=on, ocr_pages=3), workers=1) as running:
            found = await running.read(scan, "long.tif")
        assert isinstance(found, Unreadable)
        assert found.failure is failure


async def test_a_closed_sandbox_starts_nothing() -> None:
    before = family(os.getpid())
    async with Sandbox(LIMITS, workers=1) as running:
        pass
    with pytest.raises(ZygoteLost, match="the sandbox is closed"):
        await running.read(b"too late")
    assert family(os.getpid()) <= before
