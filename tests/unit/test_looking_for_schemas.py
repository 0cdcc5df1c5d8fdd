"""Schemas that are met unknown are looked for by whoever meets them: several tasks of a process, with one client."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.codec.avro import AvroCodec
from shared.runtime import schemas
from shared.runtime.schemas import Schemas
from shared.settings import Settings


class OneReader:
    """A log that ends for whoever reads it while another one does, as the client of the real one does."""

    def __init__(self, properties: Any) -> None:
        self.reads, self._busy = 0, False

    def read(self) -> list[str]:
        if self._busy:
            raise RuntimeError("Consumer closed")
        self._busy = True
        time.sleep(0.02)
        self._busy = False
        self.reads += 1
        return []


async def test_tasks_that_look_at_the_same_time_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schemas, "SchemaLog", OneReader)
    codec = SimpleNamespace(missing={"unknown"}, learn=lambda *told: None)
    looking = Schemas(Settings(), cast(AvroCodec, codec))
    await asyncio.gather(*[looking.look() for _ in range(4)])
    assert cast(OneReader, looking._log).reads == 4
    assert looking.weaker == {}
