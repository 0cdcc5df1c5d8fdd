"""Reads hostile documents without harm: parsers run in worker processes that are limited, timed and killed.

    Sandbox ── readers (N, small) ── text, or "these pages are pictures"
            └─ recognisers (1, large) ── the documents with pictures, again, with OCR

Two crews, because OCR needs ten times the time and memory: behind one slow scan, text documents would wait.
A document that kills its worker costs a fork; the service never parses anything itself.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from services.extract.cell import wire
from services.extract.cell.keeper import Keeper, Worker
from services.extract.cell.verdict import Exit, describe, verdict
from services.extract.extraction import MIB, Document, Extraction, Limits, Unreadable
from services.extract.sniff import refuse
from shared.core.failures import Failure

DOCUMENTS_PER_WORKER = 200
RETIRE_READER_AT = 512 * MIB
RETIRE_RECOGNISER_AT = 2_048 * MIB
_EXIT_SECONDS = 5.0
_HARMLESS = {Failure.ENCRYPTED, Failure.EMPTY, Failure.SCANNED}
"""Failures after which a worker is as good as before; after any other its memory is not trusted."""


class Sandbox:
    """A pool of killable workers: `async with Sandbox(limits, workers=2) as sandbox`."""

    def __init__(self, limits: Limits, workers: int = 2, recognisers: int = 1) -> None:
        self._limits = limits
        self._keeper = Keeper()
        # Where nothing is recognised, a long scan is `scanned` and not too long to recognise.
        alone = replace(limits, ocr=False, ocr_pages=limits.ocr_pages if limits.ocr else limits.pages)
        reading = Duty(alone, workers, limits.memory, limits.seconds, RETIRE_READER_AT)
        recognising = Duty(limits, recognisers, limits.ocr_memory, limits.ocr_seconds, RETIRE_RECOGNISER_AT)
        self._readers = Crew(self._keeper, reading)
        self._recognisers = Crew(self._keeper, recognising)

    async def __aenter__(self) -> Self:
        await self._readers.warm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readers.dismiss()
        self._recognisers.dismiss()
        await self._keeper.close()

    async def read(self, data: bytes, filename: str = "", content_type: str = "") -> Extraction | Unreadable:
        """Read one document; safe to call many times at once, each call waits for a free worker."""
        document = Document(data, filename, content_type)
        if refused := refuse(document, self._limits):
            return refused
        found = await self._readers.read(document)
        return await self._recognisers.read(document) if self._limits.ocr and _has_pictures(found) else found


def _has_pictures(found: Extraction | Unreadable) -> bool:
    if isinstance(found, Unreadable):
        return found.failure is Failure.SCANNED
    return bool(found.unread)


@dataclass(frozen=True, slots=True)
class Duty:
    """What the workers of one kind may use."""

    limits: Limits
    """What they are asked to keep to."""
    size: int
    """How many there are at most."""
    memory: int
    """Their address space, in bytes."""
    seconds: float
    """Wall seconds for one document."""
    retire_at: int
    """Peak memory in bytes after which a worker is replaced."""


class Crew:
    """The workers of one kind."""

    def __init__(self, keeper: Keeper, duty: Duty) -> None:
        self._keeper = keeper
        self._duty = duty
        self._idle: list[Worker] = []
        self._places = asyncio.Semaphore(duty.size)
        self._alone = asyncio.Lock()

    async def warm(self) -> None:
        """Start the first worker, so that a broken installation shows at the start."""
        self._idle.append(await self._keeper.spawn(self._duty.memory))

    def dismiss(self) -> None:
        """Kill the idle workers."""
        while self._idle:
            self._keeper.kill(self._idle.pop())

    async def read(self, document: Document) -> Extraction | Unreadable:
        """Read a document; one whose worker somebody else killed is tried again with nothing beside it."""
        async with self._places:
            found = await self._attempt(document)
        if isinstance(found, Exit):
            found = await self._attempt_alone(document)
        if isinstance(found, Exit):
            return Unreadable(
                Failure.BOMB, f"{document.label} had its reader killed twice, most likely for memory; split it."
            )
        return found

    async def _attempt_alone(self, document: Document) -> Extraction | Unreadable | Exit:
        """Read while no other worker of the crew runs: if memory was short, this document now has all of it."""
        async with self._alone, AsyncExitStack() as places:
            for _ in range(self._duty.size):
                await places.enter_async_context(self._places)
            return await self._attempt(document)

    async def _attempt(self, document: Document) -> Extraction | Unreadable | Exit:
        """Give a document to a worker; an `Exit` says that it was killed and nobody knows by whom."""
        worker = await self._free_worker()
        fit = False
        try:
            async with asyncio.timeout(self._duty.seconds):
                worker.writer.write(wire.request(document, self._duty.limits))
                await worker.writer.drain()
                # A character takes at most four bytes, so a longer answer is no answer.
                found, peak = wire.as_answer(await wire.read(worker.reader, 4 * self._duty.limits.characters))
            worker.documents += 1
            fit = self._is_fit(worker, found, peak)
            return found
        except TimeoutError:
            return Unreadable(
                Failure.PARSER_TIMEOUT,
                f"{document.label} was not read within {self._duty.seconds:g} s; split it or raise the limit.",
            )
        except wire.OverlongFrame as error:
            return Unreadable(Failure.BOMB, f"{document.label} took over its reader ({error}); do not open it.")
        except (asyncio.IncompleteReadError, ConnectionError):
            return await self._inquest(document, worker)
        finally:
            if fit:
                self._idle.append(worker)
            else:
                self._keeper.kill(worker)

    async def _free_worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if not worker.ended.done():
                return worker
            self._keeper.kill(worker)
        return await self._keeper.spawn(self._duty.memory)

    def _is_fit(self, worker: Worker, found: Extraction | Unreadable, peak: int) -> bool:
        """Say whether a worker may read on: parsers leak, and what a broken document did to one is unknown."""
        if worker.documents >= DOCUMENTS_PER_WORKER or peak > self._duty.retire_at:
            return False
        return isinstance(found, Extraction) or found.failure in _HARMLESS

    async def _inquest(self, document: Document, worker: Worker) -> Unreadable | Exit:
        """Find out why a worker hung up."""
        try:
            async with asyncio.timeout(_EXIT_SECONDS):
                end = await asyncio.shield(worker.ended)
        except TimeoutError:
            end = Exit(0)
        failure = verdict(end, self._duty.memory)
        if failure is None:
            return end
        remedy = {
            Failure.BOMB: "it needs more memory than a reader may have, so do not trust its sender",
            Failure.PARSER_TIMEOUT: "it takes more processor time than a reader may have, so split it",
        }.get(failure, "report the document as a fault of the reader")
        return Unreadable(failure, f"{document.label} ended its reader ({describe(end)}); {remedy}.")
