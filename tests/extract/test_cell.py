"""One worker seen from close: its limits, its last words, and what its death means."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.extract.cell import wire
from services.extract.cell.keeper import Keeper, Worker
from services.extract.cell.verdict import Exit, describe, verdict
from services.extract.extraction import MIB, Document, Extraction, Limits, Unreadable
from shared.core.failures import Failure
from tests.extract import files

MEMORY = 2_048 * MIB


@pytest_asyncio.fixture(loop_scope="function")
async def worker() -> AsyncIterator[Worker]:
    keeper = Keeper()
    born = await keeper.spawn(MEMORY)
    yield born
    keeper.kill(born)
    await keeper.close()


async def test_processor_time_ends_a_worker_even_if_nobody_watches_the_clock(worker: Worker) -> None:
    worker.writer.write(wire.request(Document(files.slow_pdf()), Limits(seconds=0.1, ocr=False)))
    async with asyncio.timeout(30):
        end = await worker.ended
    assert end.code == -signal.SIGXCPU
    assert verdict(end, MEMORY) is Failure.PARSER_TIMEOUT


async def test_an_error_nobody_expected_is_reported_and_ends_the_worker(worker: Worker) -> None:
    worker.writer.write(wire.pack({"filename": "no content type"}, b"text"))
    async with asyncio.timeout(30):
        found, _ = wire.as_answer(await wire.read(worker.reader, MIB))
        end = await worker.ended
    assert isinstance(found, Unreadable)
    assert found.failure is Failure.PARSER_CRASH
    assert "wire.py:" in found.message
    assert "KeyError: 'content_type'" in found.message
    assert end.code == 1


async def test_a_worker_ends_when_the_service_hangs_up(worker: Worker) -> None:
    worker.writer.close()
    async with asyncio.timeout(30):
        assert (await worker.ended).code == 0


@pytest.mark.parametrize(
    ("end", "failure"),
    [
        (Exit(-signal.SIGABRT, MEMORY // 2), Failure.BOMB),
        (Exit(-signal.SIGSEGV, MEMORY // 4), Failure.BOMB),
        (Exit(-signal.SIGSEGV, MEMORY // 8), Failure.PARSER_CRASH),
        (Exit(-signal.SIGXCPU, MEMORY // 2), Failure.PARSER_TIMEOUT),
        (Exit(1, MEMORY // 2), Failure.PARSER_CRASH),
        (Exit(-signal.SIGKILL, 0), None),
    ],
)
def test_the_way_a_worker_ends_names_the_failure(end: Exit, failure: Failure | None) -> None:
    assert verdict(end, MEMORY) is failure


def test_an_end_is_described_by_the_name_of_its_signal() -> None:
    assert [describe(Exit(code)) for code in (-6, 3, -99)] == ["SIGABRT", "exit code 3", "signal 99"]


async def test_results_survive_the_way_through_the_pipe() -> None:
    for result in (
        Extraction("a\f€", "text/plain", 2, "mixed", ("One page.",), (2,)),
        Unreadable(Failure.CORRUPT, "It is damaged."),
    ):
        reader = asyncio.StreamReader()
        reader.feed_data(wire.answer(result, 7))
        assert wire.as_answer(await wire.read(reader, 100)) == (result, 7)


async def test_an_answer_longer_than_any_text_is_not_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(wire.pack({}, b"x" * 101))
    with pytest.raises(wire.OverlongFrame):
        await wire.read(reader, 100)
