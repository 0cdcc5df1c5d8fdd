"""A pipeline at work beside webhooks whose receiver hangs: it is as fast as without them."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan
from tests.notify.place import hook
from tests.notify.receiver import SECRET, Receiver, hangs
from tests.pipeline.tiny.pipeline import TICKETS

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
MANY = 2000
NOISE_SECONDS = 5.0
"""What a busy machine may add to a run of some seconds; a receiver that were waited for would add a minute a ticket."""


class Tickets:
    """The tiny pipeline with its two stages running."""

    def __init__(self, parts: Endpoints, herd: Herd, name: str) -> None:
        self.kafka, self.herd, self.name = parts.kafka or "", herd, name
        self.sent = 0
        for stage in ("triage", "close"):
            herd.start("tests.pipeline.tiny", stage)

    def work(self) -> float:
        """Have it close many tickets; gives how many seconds that took."""
        names = [f"t{self.sent + number}" for number in range(MANY)]
        self.sent += MANY
        value = {"subject": "how do I print", "opened_at": 0}
        began = time.monotonic()
        records = [(name, outsider.encoded(OPENED, {"document_id": name, **value})) for name in names]
        outsider.publish(self.kafka, f"{self.name}.ingest", records)
        self.herd.wait_until(lambda: len(outsider.read(self.kafka, f"{self.name}.results")) >= self.sent, 120)
        return time.monotonic() - began


@pytest.fixture
def tickets(parts: Endpoints, tmp_path: Path) -> Iterator[Tickets]:
    name = f"t{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    migrate(parts.database or "")
    settings = {"TINY_PIPELINE": name, "PENSTOCK_PIPELINE": f"tests.pipeline.tiny.named:{name}", "HOOK_SECRET": SECRET}
    with Herd(parts, tmp_path, **settings) as herd:
        yield Tickets(parts, herd, name)


def test_a_receiver_that_hangs_delays_no_document(tickets: Tickets, tmp_path: Path) -> None:
    tickets.work()  # processes, groups and caches are warm
    alone = tickets.work()
    with Receiver(hangs) as receiver:
        (tmp_path / "webhooks.toml").write_text(f'[[hook]]\n{hook("bad", receiver, "timeout = 60")}\non = ["stored"]\n')
        tickets.herd.start("services.notify", PENSTOCK_WEBHOOKS=str(tmp_path / "webhooks.toml"))
        tickets.herd.wait_until(lambda: "tells 1 webhooks" in tickets.herd.log_whole(), 60)
        beside = tickets.work()
        tickets.herd.wait_until(lambda: bool(receiver.requests), 60)
        still = tickets.work()
        assert len(receiver.requests) <= 4, "no request has ended yet"
    print(f"{MANY} tickets: alone {alone:.2f} s, beside {beside:.2f} s, while it hangs {still:.2f} s")
    assert still < 2 * alone + NOISE_SECONDS
    assert beside < 2 * alone + NOISE_SECONDS
