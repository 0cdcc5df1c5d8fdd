"""Keeps a codec supplied with schemas: tells ours before anything is written, finds those that are met unknown."""

import asyncio
import json
import threading
from typing import TYPE_CHECKING

from schemas.events import DocumentResult
from schemas.released import released
from shared.codec.avro import AvroCodec
from shared.codec.wire import fingerprint
from shared.core.errors import Unavailable
from shared.core.event import Event
from shared.core.graph import Pipeline
from shared.core.stage import Stage
from shared.kafka.schema_log import SchemaLog
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.kafka.registry import Registry

LOOK_SECONDS = 1.0
"""How often unknown schemas are looked for while there are some."""


def codec_for(pipeline: Pipeline) -> AvroCodec:
    """A codec for every event of the pipeline, which knows every schema that was ever released."""
    # Every pipeline tells in the same event that an operator has ended a document.
    types: dict[type[Event], None] = {DocumentResult: None}
    for stage in pipeline.stages:
        types |= dict.fromkeys((*stage.takes, *stage.gives))
    return AvroCodec(types, (schema for _, schema in released()))


class Schemas:
    """A codec's connection to the topic of schemas and to the registry."""

    def __init__(self, settings: Settings, codec: AvroCodec) -> None:
        self._log = SchemaLog(settings.kafka.properties())
        # Held by the threads: of the tasks that look at the same time, one may be cancelled while its thread goes on.
        self._reading = threading.Lock()
        self._registry = open_registry(settings.schema_registry_url) if settings.schema_registry_url else None
        self._codec = codec
        self.weaker: dict[str, str] = {}
        """What does not work at the moment, for health."""

    async def tell(self, pipeline: Pipeline, stage: Stage[object, object] | None) -> None:
        """Make the schemas of what will be written known, before anything is written."""
        kinds = tuple(dict.fromkeys((*stage.gives, DocumentResult))) if stage else pipeline.first.takes
        await asyncio.to_thread(self._tell, pipeline, kinds)

    def _tell(self, pipeline: Pipeline, kinds: tuple[type[Event], ...]) -> None:
        with self._reading:
            for schema in self._log.read():
                self._codec.learn(schema)
            marks = [(fingerprint(json.loads(kind.__avro__))[::-1].hex(), kind.__avro__) for kind in kinds]
            self._log.add(marks)
        if self._registry is None:
            return
        try:
            for kind in kinds:
                subject = f"{pipeline.name}.{kind.__name__}"
                self._codec.frame_by_id(kind, self._registry.register(subject, kind.__avro__))
        except Unavailable as error:
            # Events carry the fingerprint instead: every reader of ours takes both frames.
            self.weaker["schema registry"] = f"events are framed by fingerprint until the next start: {error.message}"

    async def watch(self) -> None:
        """Look for unknown schemas, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look for unknown schemas once, where there are some."""
        if self._codec.missing:
            await asyncio.to_thread(self._find)

    def _find(self) -> None:
        try:
            with self._reading:
                for schema in self._log.read():
                    self._codec.learn(schema)
            for schema_id in [mark for mark in self._codec.missing if isinstance(mark, int)]:
                if self._registry and (known := self._registry.schema(schema_id)):
                    self._codec.learn(known, schema_id)
            self.weaker.pop("schemas", None)
        except Unavailable as error:
            self.weaker["schemas"] = f"records of schemas not met before wait: {error.message}"


def open_registry(url: str) -> "Registry":
    """The registry's client, imported only where there is a registry: it takes a quarter of a service's start."""
    from shared.kafka.registry import Registry  # noqa: PLC0415  lazy: see above

    return Registry(url)
