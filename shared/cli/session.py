"""What nearly every verb needs: the settings, the pipeline they name, and the way to Kafka and the tables."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.codec.avro import AvroCodec
from shared.core.errors import Unavailable
from shared.core.graph import Pipeline
from shared.database.pool import Database, open_database
from shared.pipelines.ended import result_types
from shared.pipelines.named import named_pipeline
from shared.runtime.schemas import codec_for
from shared.settings import Settings, configured, load

SILENT = logging.Logger("kafka client", logging.CRITICAL + 1)
"""Where the Kafka client's own lines go: what matters of them comes as an error too, in a sentence."""


@dataclass(frozen=True)
class Session:
    """One command's view of an installation."""

    settings: Settings
    """Its settings."""
    pipeline: Pipeline
    """The pipeline it speaks of."""

    @property
    def kafka(self) -> dict[str, Any]:
        """How to reach Kafka. Raises Unavailable where none is known."""
        if not self.settings.kafka.bootstrap_servers:
            raise Unavailable(
                "kafka", "no Kafka is known: start one with `penstock up`, or set PENSTOCK_KAFKA__BOOTSTRAP_SERVERS"
            )
        return self.settings.kafka.properties() | {"logger": SILENT}

    @cached_property
    def codec(self) -> AvroCodec:
        """A codec for the pipeline's events, and for the result that an operator's decision writes."""
        return codec_for(self.pipeline)

    @property
    def ends(self) -> tuple[type[Any], ...]:
        """Event types that stand on the results topic."""
        return result_types(self.pipeline)

    @property
    def has_database(self) -> bool:
        """Whether the tables can be asked."""
        return bool(self.settings.database_url.get_secret_value())

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The tables. Raises Unavailable where none are known, or PostgreSQL is away."""
        if not self.has_database:
            raise Unavailable(
                "database", "no PostgreSQL is known: start one with `penstock up`, or set PENSTOCK_DATABASE_URL"
            )
        async with open_database(self.settings.database_url.get_secret_value(), "command") as database:
            yield database


def open_session(pipeline: str = "") -> Session:
    """Read the settings; `pipeline` is module:NAME, where another one than the setting's is meant."""
    settings = load()
    return Session(settings, configured(named_pipeline(pipeline or settings.pipeline), settings))
