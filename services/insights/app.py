"""The faust app: counts what the pipeline's records tell into a table that Kafka keeps.

    records -> told -> pane -> table -> changelog
                          └─ windows -> a page of JSON

The table is plain, and its keys hold the time: faust's own windowed tables do not work for a page (inside an agent
their `now` is the newest record of one partition, outside of it they have none).
"""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faust

from services.insights.access import credentials
from services.insights.committed import CommittedTransport
from services.insights.counts import Counts
from services.insights.panes import FAILED, RETRIED, SECONDS, Windows, pane_of, totals, windowed
from services.insights.settings import InsightsSettings
from shared.core.atlas.ended import Ended
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.graph import Pipeline
from shared.pipelines.telling import Telling

SERVICE = "insights"

WINDOWS = {"1m": Windows(60, 60), "5m": Windows(300, 60), "1h": Windows(3_600, 300), "1d": Windows(86_400, 3_600)}
"""Windows that the page offers: those of a minute tumble, the others hop."""
ROWS = 5_000
"""Most rows of a page."""
QUIET = {
    "faust": logging.ERROR,
    "mode": logging.ERROR,
    "services.insights.committed": logging.ERROR,
    "aiokafka": logging.CRITICAL,
}
"""Loggers that would tell a line for each partition and each try of a connection."""


class Insights:
    """One process of the service."""

    def __init__(
        self, telling: Telling, settings: InsightsSettings, kafka: Mapping[str, Any], folder: Path, replication: int
    ) -> None:
        self._telling = telling
        pipeline = telling.pipeline
        for name, level in QUIET.items():
            logging.getLogger(name).setLevel(level)
        self.app = _app(pipeline, kafka, folder, replication)
        self.table = self.app.Table(f"{pipeline.name}.{SERVICE}.panes", partitions=pipeline.partitions)
        """Pane to its count."""
        source = self.app.topic(*telling.topics, *telling.retries, value_serializer="raw", key_serializer="raw")
        self.app.agent(source, name=SERVICE)(self._count)
        self.counts = Counts(self.table, settings.keep)
        """What it holds."""

    async def start(self) -> None:
        """Join the group, read the table back, and count."""
        await self.app.start()

    async def stop(self) -> None:
        """Count no more, and leave the group."""
        await self.app.stop()

    @property
    def trouble(self) -> str:
        """Why it has ended by itself; empty while it has not."""
        reason = self.app.crash_reason
        return "" if reason is None else f"{type(reason).__name__}: {reason}"

    async def _count(self, stream: Any) -> None:
        """Count every record, and let old panes go."""
        async for event in stream.events():
            message = event.message
            record = delivery(message)
            ended = self._telling.told(record)
            if ended is not None:
                self.add(record, ended, message.timestamp)

    def add(self, record: Delivery, ended: Ended, at: float) -> None:
        """Count what one record tells; Kafka got it at that time."""
        place = record.position
        kind = RETRIED if place.topic in self._telling.retries else FAILED
        pane = pane_of(ended, kind, (place.topic, place.partition), at)
        self.counts.add(pane, place.offset, time.time())

    def page(self, window: str, last: int) -> dict[str, Any]:
        """The newest windows of one kind as JSON. Raises KeyError where there is no such kind."""
        windows, partitions = WINDOWS[window], self.partitions
        since = int(time.time()) - windows.length - windows.hop * last
        rows = windowed(dict(self.counts.since(since, partitions)), windows, since)
        for row in rows:
            row["begin"] = datetime.fromtimestamp(row["begin"], UTC).isoformat()
        facts = {"length": windows.length, "hop": windows.hop, "pane": SECONDS, "exact": True}
        return {
            "window": window,
            **facts,
            "partitions": partitions,
            "rows": rows[:ROWS],
            "left_out": len(rows[ROWS:]),
        }

    def totals(self) -> dict[str, int]:
        """Everything this process holds, by pane, whatever its source."""
        return totals(self.counts.since(0, self.partitions))

    @property
    def partitions(self) -> list[int]:
        """The partitions this process counts: with several processes the others have the rest."""
        assigned = self.app.assignor.assigned_actives() if self.ready else ()
        return sorted({place.partition for place in assigned})

    @property
    def ready(self) -> bool:
        """Whether the table has been read back, and records are counted."""
        return bool(not self.app.rebalancing and self.app.tables.recovery.completed.is_set())


def _app(pipeline: Pipeline, kafka: Mapping[str, Any], folder: Path, replication: int) -> Any:
    """The faust app, its table in memory: what it holds is small, and Kafka has it too."""
    folder.mkdir(parents=True, exist_ok=True)
    servers = [server.strip() for server in str(kafka["bootstrap.servers"]).split(",")]
    app = faust.App(
        f"{pipeline.name}.{SERVICE}",
        broker=";".join(f"kafka://{server}" for server in servers),
        broker_credentials=credentials(kafka),
        store="memory://",
        datadir=str(folder),
        topic_replication_factor=replication,
        topic_partitions=pipeline.partitions,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.transport = CommittedTransport(app.conf.broker_consumer, app)
    return app


def delivery(message: Any) -> Delivery:
    """A record as the rest of Penstock sees it."""
    headers = message.headers or ()
    pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
    place = Position(message.topic, message.partition, message.offset)
    at = datetime.fromtimestamp(message.timestamp, UTC)
    return Delivery(place, message.key, message.value, pairs, at)
