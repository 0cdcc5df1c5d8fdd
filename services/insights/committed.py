"""Faust on aiokafka that reads what is committed, and nothing else.

Faust reads uncommitted records unless it writes in transactions itself. Ours stand in the stages' transactions: one
that is aborted is written again, and would be counted twice.
"""

from typing import Any

from faust.transport.drivers import aiokafka as driver

LEVEL = "read_committed"


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Read when the consumer starts, which is later. There is no public way; a test holds it to what it should do.
        consumer._isolation_level = LEVEL
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(driver.Transport):
    """The transport for `app.transport`."""

    Consumer = _Consumer
