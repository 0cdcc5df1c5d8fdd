"""A process's ear: it begins with every word so far, hears the next ones, and says when it hears nothing."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.core.errors import Unavailable
from shared.kafka_port import Record
from shared.memory.kafka import MemoryKafka
from shared.memory.log import MemoryLog
from shared.runtime import following as module
from shared.runtime.following import following

Words = list[tuple[bytes, bytes | None]]


def word(name: bytes) -> Record:
    return Record("words", name, b"ends", (), None)


class Flaky(MemoryLog):
    """A log that cannot be read as often as it is told."""

    failures = 0
    polls = 0

    def poll(self, seconds: float) -> Sequence[tuple[bytes, bytes | None]]:
        self.polls += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable("kafka", "nobody there")
        return super().poll(seconds)


async def until(holds: object) -> None:
    async with asyncio.timeout(10):
        while not holds():  # type: ignore[operator]  # noqa: ASYNC110  a thread sets what is looked at
            await asyncio.sleep(0.002)


async def test_it_is_whole_when_every_word_so_far_was_told_and_goes_on_from_there() -> None:
    kafka, told = MemoryKafka({"words": 1}), Words()
    kafka.publish(word(b"a"), word(b"b"))
    async with following(MemoryLog(kafka, "words"), told.extend) as ear:
        await ear.whole()
        assert told == [(b"a", b"ends"), (b"b", b"ends")]
        kafka.publish(word(b"c"))
        await until(lambda: len(told) == 3)
    assert not ear.thread.is_alive()


async def test_trouble_is_named_until_it_is_over_and_no_word_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    kafka, told = MemoryKafka({"words": 1}), Words()
    log = Flaky(kafka, "words")
    async with following(log, told.extend) as ear:
        await ear.whole()
        assert ear.weaker() == {}
        log.failures = 1_000_000
        await until(ear.weaker)
        assert ear.weaker() == {"cancellations": "`penstock cancel` does not reach this process: nobody there"}
        kafka.publish(word(b"a"))
        log.failures = 0
        await until(lambda: told and not ear.weaker())
    assert told == [(b"a", b"ends")]


async def test_a_process_that_cannot_learn_the_words_so_far_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.05)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    log = Flaky(MemoryKafka({"words": 1}), "words")
    log.failures = 1_000_000
    async with following(log, Words().extend) as ear:
        with pytest.raises(Unavailable, match="what was cancelled before is not known"):
            await ear.whole()
