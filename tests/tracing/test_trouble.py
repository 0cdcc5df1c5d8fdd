"""Services whose receiver hangs or is gone do the same work, say what is weaker, and end when they are told."""

import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from shared.kafka.admin import ensure, plan
from tests.pipeline.live.installation import said_by
from tests.pipeline.tiny.pipeline import TICKETS
from tests.tracing.receiver import receiving

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
TICKETS_SENT = 3000


@pytest.mark.parametrize("hangs", [True, False])
def test_all_work_is_done_and_the_end_comes(parts: Endpoints, tmp_path: Path, hangs: bool) -> None:
    name, port = f"t{uuid.uuid4().hex[:8]}", free_port()
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    with receiving(0) as receiver:
        url = receiver.url if hangs else f"http://127.0.0.1:{free_port()}"
        settings = {"TINY_PIPELINE": name, "PENSTOCK_TRACING__ENDPOINT": url, "PENSTOCK_TRACING__TIMEOUT": "1"}
        with Herd(parts, tmp_path, **settings) as herd:
            triage = herd.start("tests.pipeline.tiny", "triage", PENSTOCK_HEALTH_PORT=str(port))
            close = herd.start("tests.pipeline.tiny", "close")
            values = ((f"d{n}", outsider.encoded(OPENED, ticket(n))) for n in range(TICKETS_SENT))
            outsider.publish(parts.kafka or "", f"{name}.ingest", values)
            results = f"{name}.results"
            herd.wait_until(lambda: len(outsider.read(parts.kafka or "", results)) == TICKETS_SENT, 60)
            herd.wait_until(lambda: "tracing" in said_by(port).get("weaker", {}), 20)
            assert said_by(port)["ready"]
            began = time.monotonic()
            for process in (triage, close):
                process.terminate()
            assert [process.wait(20) for process in (triage, close)] == [0, 0], herd.log()
            assert time.monotonic() - began < 10


def ticket(number: int) -> dict[str, object]:
    return {"document_id": f"d{number}", "subject": "how do I print", "opened_at": 0}
