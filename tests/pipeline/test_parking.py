"""A dependency is away: what needs it waits without end and at no cost, what does not need it goes on."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from shared.kafka.admin import ensure, plan
from tests.pipeline.tiny.pipeline import TICKETS

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
CLOSED = outsider.load(Path("tests/pipeline/tiny/TicketClosed.avsc"))
KEYS = 700
"""Documents that need what is away, and as many that do not; each comes twice. More than fit into one process."""


@pytest.fixture
def pipeline(parts: Endpoints) -> str:
    """A tiny pipeline with topics of its own."""
    name = f"tickets_{uuid.uuid4().hex[:8]}"
    ensure({"bootstrap.servers": parts.kafka}, plan(replace(TICKETS, name=name)))
    return name


def mixed() -> list[tuple[str, bytes]]:
    """Both kinds in turns, so that every partition holds both."""
    return [
        (f"{kind}{n}", outsider.encoded(OPENED, {"document_id": f"{kind}{n}", "subject": f"{kind} {turn}"}))
        for turn in (1, 2)
        for n in range(KEYS)
        for kind in ("x", "y")
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_what_needs_an_absent_dependency_waits_and_everything_else_goes_on(
    parts: Endpoints, pipeline: str, tmp_path: Path, killed: bool
) -> None:
    away = tmp_path / "away"
    away.touch()
    outsider.publish(parts.kafka, f"{pipeline}.ingest", mixed())

    def results(kind: bytes) -> Callable[[], list[tuple[bytes, str]]]:
        def read() -> list[tuple[bytes, str]]:
            found = outsider.read(parts.kafka, f"{pipeline}.results")
            return [(key, outsider.decoded(CLOSED, value)["answer"]) for key, value, _ in found if key[:1] == kind]

        return read

    others, waiting = results(b"y"), results(b"x")
    with Herd(parts, tmp_path, TINY_PIPELINE=pipeline, TINY_AWAY=str(away)) as herd:
        herd.start("tests.pipeline.tiny", "triage")
        first = herd.start("tests.pipeline.tiny", "close")
        herd.wait_until(lambda: len(others()) == 2 * KEYS, 60, lambda: f"{len(others())} of the others")
        parked = outsider.read(parts.kafka, f"{pipeline}.close.parked")
        assert parked, "nothing moved, so this tested nothing"
        assert {headers["penstock-waits-for"] for _, _, headers in parked} <= {b"x-service", b"document"}
        if killed:
            first.kill()
            herd.start("tests.pipeline.tiny", "close")
            herd.start("tests.pipeline.tiny", "close")
        assert waiting() == []
        away.unlink()
        herd.wait_until(lambda: len(waiting()) == 2 * KEYS, 60, lambda: f"{len(waiting())} of those that waited")
    for read in (others, waiting):
        answers: dict[bytes, list[str]] = {}
        for key, answer in read():
            answers.setdefault(key, []).append(answer)
        assert len(answers) == KEYS
        turns = {tuple(turn.split(":")[0][2:] for turn in each) for each in answers.values()}
        # More were parked than a process holds, so the next one does not know of each that is older; versions do.
        assert turns == {("1", "2")} or (killed and turns == {("1", "2"), ("2", "1")})
    spent = [f"{pipeline}.close.{name}" for name in ("dlq", "retry.1s", "retry.2s")]
    assert [topic for topic in spent if outsider.read(parts.kafka, topic)] == []
