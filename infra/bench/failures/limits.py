"""Four processes under one limit of requests and tokens: how much of it do they use, and how often are they refused?

The simulated provider enforces the limit in any sliding window, and tells what it counted. How long an answer will be
nobody knows before: it is some sentences of a text whose sentences differ much in length.
"""

import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from infra.bench.auditor import verdict
from infra.bench.bench import Bench, Run
from infra.bench.figures import Figures
from infra.bench.notes import END
from infra.bench.registry import write_registry
from infra.bench.sample.pipeline import ASK, NORTH, SOUTH
from infra.local.parts.ports import free_port

WORDS = ("river", "gate", "turbine", "pressure", "valve", "intake", "spring", "station", "metre", "winter", "concrete")
WORKERS = 4
"""Processes."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    requests: int
    """Limit of a window."""
    tokens: int
    """Limit of a window."""
    window: float
    """Seconds."""
    windows: int
    """So many are measured."""
    latency_ms: int
    """How long the model thinks."""
    in_flight: int
    """Calls at once in each process."""


FULL = Size(requests=300, tokens=60_000, window=60.0, windows=4, latency_ms=1_000, in_flight=64)
SMALL = Size(requests=30, tokens=6_000, window=6.0, windows=3, latency_ms=200, in_flight=16)


def limits(bench: Bench) -> Figures:
    """Work a backlog off for some windows, and a little longer."""
    size = SMALL if bench.small else FULL
    model, port = f"sim-{uuid.uuid4().hex[:8]}", free_port()
    per_minute = (round(size.requests * 60 / size.window), round(size.tokens * 60 / size.window))
    told = {
        "PENSTOCK_IN_FLIGHT": str(size.in_flight),
        "PENSTOCK_LIMITS__WINDOW": f"{size.window:g}",
        "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{port}",
    } | write_registry(bench.folder / f"{model}.toml", {NORTH: [model], SOUTH: [model]}, limit=per_minute)
    simulated = {"PENSTOCK_MODELSIM_PORT": str(port), "PENSTOCK_MODELSIM_LATENCY_MS": str(size.latency_ms)}
    with Run(bench, ASK, told) as run:
        run.herd.start("infra.modelsim", **simulated)
        run.publish(documents(size.requests * (size.windows + 1)))
        limit = {"model": model, "requests": size.requests, "tokens": size.tokens, "seconds": size.window}
        run.herd.wait_until(lambda: answers(port), 30)
        account(port, limit)
        for slot in range(WORKERS):
            run.start(slot + 1)
        run.herd.wait_until(lambda: bool(run.notes.of(END)), 60)
        for number in range(size.windows):
            run.herd.reaches(lambda: False, size.window)
            bench.say(f"limits: {number + 1} of {size.windows} windows: {len(run.notes.calls(END)):,} documents")
        counted = account(port)[model]
        run.wait_for_the_end()
        figures = verdict(run.published, run.results()) | told_of(size, counted["history"], counted["refused"])
        figures["limit_attempts"] = len(run.records("retries")) + len(run.records("dead"))
    bench.say(f"limits: {figures}")
    return figures


def told_of(size: Size, history: Sequence[tuple[float, int, int]], refused: int) -> Figures:
    """How much of the limit was used from the first call on, of whichever of the two was scarcer; what was refused."""
    began = history[0][0]
    within = [one for one in history if one[0] < began + size.windows * size.window]
    requests, tokens = sum(one[1] for one in within), sum(one[2] for one in within)
    used = requests / size.requests / size.windows, tokens / size.tokens / size.windows
    return {
        "limit_used": max(used),
        "limit_requests_used": used[0],
        "limit_tokens_used": used[1],
        "share_429": refused / (refused + sum(one[1] for one in history)),
    }


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Texts of very different length, the same ones in each run; a call uses some 230 tokens on average."""
    chosen = random.Random(7)
    for number in range(count):
        sentences = [sentence(chosen) for _ in range(chosen.randint(1, 8))]
        yield {"document_id": f"paper{number}", "chain": NORTH, "padding": " ".join(sentences).encode()}


def sentence(chosen: random.Random) -> str:
    """Some words, few or many."""
    words = chosen.choices(WORDS, k=round(chosen.expovariate(1 / 12)) + 5)
    return " ".join(words).capitalize() + "."


def answers(port: int) -> bool:
    """Whether the simulated provider is up."""
    try:
        return account(port) == {}
    except OSError:
        return False


def account(port: int, limit: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the simulated provider has counted; with a limit, put it in force."""
    data = json.dumps(limit).encode() if limit else None
    request = Request(f"http://127.0.0.1:{port}/limits", data, {"content-type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        said: dict[str, Any] = json.loads(answer.read())
        return said
