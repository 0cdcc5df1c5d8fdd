"""Documents through the five services while calls fail and their processes are killed: what did it cost?

Four tell it: the provider's own bill, `penstock costs`, `penstock status`, and the metrics. Calls whose answer nobody
saw are the only ones about which the first may differ from the others: each of them has a name, and is looked up on
the bill. Without these the sums are equal, or the account is wrong.
"""

import json
import random
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.engine.two_models import order
from infra.bench.failures.mixed import settled
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.registry import HEAD
from infra.bench.services import INVOICE, NOBODY, SUBMITTED, start
from infra.local.parts.ports import free_port
from shared.kafka.admin import ensure, plan
from shared.pipelines.documents import DOCUMENTS

SHARES = {
    "malformed_json": 0.03,
    "stream_cut": 0.03,
    "stream_stalled": 0.02,
    "stream_unterminated": 0.02,
    "truncated": 0.02,
    "rate_limited": 0.03,
    "overloaded": 0.02,
    "connection": 0.01,
    "hang": 0.01,
}
"""Part of the calls that fail so."""
LATENCY_MS = 150
STALL_SECONDS = 180.0
"""Longer than a breaker stays open."""
TIMEOUT_SECONDS = 10
REGISTRY = (
    HEAD.format(timeout=TIMEOUT_SECONDS)
    + """first_token = 2
stall = 1

[models."sim-thrifty-{mark}"]
provider = "sim"
context_window = 128_000
max_output = 4_000
priced_on = 2026-11-23
prices = [
    {{ since = 2001-01-01, input_usd_per_million = 20, output_usd_per_million = 80 }},
    {{ since = 2002-01-01, input_usd_per_million = 2, output_usd_per_million = 8, cached_usd_per_million = 0.5 }},
]

[models."sim-small-{mark}"]
provider = "sim"
context_window = 8_000
max_output = 1_000
input_usd_per_million = 0.10
output_usd_per_million = 0.40
priced_on = 2026-11-23

[chains]
extraction = ["sim-thrifty-{mark}", "sim-small-{mark}"]
summarization = ["sim-small-{mark}", "sim-thrifty-{mark}"]
qa = ["sim-small-{mark}"]
analyst = ["sim-thrifty-{mark}", "sim-small-{mark}"]
"""
)
"""Two models whose names nobody else uses; the first once had another price."""
PLACES = Decimal("0.000000001")
"""What is left of a float that sums decimals."""


@dataclass(frozen=True, slots=True)
class Told:
    """What everybody says that the run has cost, US dollars."""

    bill: Decimal
    """The provider: all that it charged."""
    charged: Mapping[str, Decimal]
    """Each call on the bill."""
    costs: Mapping[str, Any]
    """`penstock costs`."""
    status: Mapping[str, Any]
    """`penstock status --batch`."""
    metrics: Decimal
    """The review desk's metrics."""
    metrics_unsure: Decimal
    """Of these, the unsure part."""
    unsure: frozenset[str]
    """Names of the calls whose answer nobody saw."""

    @property
    def sums(self) -> dict[str, Decimal]:
        """What each of them says without the unsure calls."""
        doubtful = sum((cost for name, cost in self.charged.items() if name in self.unsure), Decimal(0))
        return {
            "bill": self.bill - doubtful,
            "costs": money(self.costs["sure_usd"]),
            "status": money(self.status["sure_usd"]),
            "metrics": self.metrics - self.metrics_unsure,
        }

    def difference(self) -> Decimal:
        """The largest distance between any two of them."""
        sums = self.sums.values()
        return (max(sums) - min(sums)).quantize(PLACES)


def cost(bench: Bench) -> Figures:
    """Publish, kill whoever asks models again and again, and ask everybody what it has cost."""
    count, kills = (40, 2) if bench.small else (400, 10)
    mark = uuid.uuid4().hex[:8]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    names = [f"{mark}-{number:04d}" for number in range(count)]
    folder = bench.folder / f"cost-{mark}"
    folder.mkdir()
    registry = folder / "models.toml"
    registry.write_text(REGISTRY.format(mark=mark), "utf-8")
    with Herd(bench.parts, folder, **NOBODY, PENSTOCK_MODELS_FILE=str(registry)) as herd:
        ports = start(herd, LATENCY_MS)
        desk = free_port()
        herd.start("services.review", PENSTOCK_HEALTH_PORT=str(desk))
        for fault, share in SHARES.items():
            order(ports.provider, "POST", {"fault": fault, "share": share, "after": 0.2})
        publish_and_kill(bench, herd, ports.provider, names, kills)
        ends = settled(bench, herd, names)
        told = asked(bench, herd, (ports.provider, desk), mark)
    figures = {
        "cost_documents": count,
        "cost_unended": len(set(names) - ends.all),
        "cost_kills": kills,
        "cost_difference": float(told.difference()),
        "cost_bill_usd": float(told.bill),
        "cost_account_usd": float(told.costs["cost_usd"]),
        "cost_failed_usd": float(told.costs["failed_usd"]),
        "cost_unsure_usd": float(told.costs["unsure_usd"]),
        "cost_unsure_calls": float(told.costs["unsure_calls"] + told.costs["in_flight"]),
        "cost_unsure_on_bill": len(told.unsure & told.charged.keys()),
        "cost_cached_tokens": told.costs["cached_tokens"],
        "cost_reasoning_tokens": told.costs["reasoning_tokens"],
    }
    bench.say("cost: " + ", ".join(f"{who} {said}" for who, said in told.sums.items()))
    bench.say("cost: " + ", ".join(f"{name} {figure:.6g}" for name, figure in figures.items()))
    return figures


def record(name: str) -> tuple[str, bytes]:
    """A document as it is handed in, on an account and in a batch of its own run."""
    account = f"cost-{name.partition('-')[0]}"
    said: dict[str, Any] = {
        "document_id": name,
        "content": INVOICE.format(name=name).encode(),
        "tasks": ["extraction", "summarization"],
        "tenant": account,
        "batch_id": account,
    }
    return name, outsider.encoded(SUBMITTED, said)


def publish_and_kill(bench: Bench, herd: Herd, provider: int, names: Sequence[str], kills: int) -> None:
    """Hand documents in part by part, and kill the analyze process in the midst of the calls of each but the last."""
    dice = random.Random("cost")
    for number in range(kills + 1):
        part = names[number :: kills + 1]
        before = asked_for(provider)
        outsider.publish(bench.kafka, "documents.ingest", (record(name) for name in part))
        if number < kills:
            goal = before + round(len(part) * dice.uniform(0.2, 1.8))
            herd.wait_until(lambda goal=goal: asked_for(provider) >= goal, STALL_SECONDS, lambda: "no calls")  # type: ignore[misc]
            kill(herd, provider)


def kill(herd: Herd, provider: int) -> None:
    """Kill the analyze process and start the next one."""
    [victim] = [one for one in herd.processes if "services.analyze" in one.args and one.poll() is None]  # type: ignore[operator]
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    herd.start("services.analyze", PENSTOCK_MODELSIM_URL=f"http://127.0.0.1:{provider}")


def asked_for(provider: int) -> int:
    """Requests that the provider has had."""
    return sum(int(line["requests"]) for line in bill(provider)["models"].values())


def bill(provider: int) -> dict[str, Any]:
    """What the provider charges, call by call."""
    with urlopen(f"http://127.0.0.1:{provider}/bill?items", timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
    return said


def asked(bench: Bench, herd: Herd, ports: tuple[int, int], mark: str) -> Told:
    """Ask everybody, once nothing is under way any more."""
    provider, desk = ports
    account = f"cost-{mark}"
    # What is still being asked for a document that has ended would be on the bill and not yet in the account.
    herd.reaches(lambda: penstock(herd, "costs", "--tenant", account)[-1]["in_flight"] == 0, 2 * TIMEOUT_SECONDS)
    charged = bill(provider)
    costs = penstock(herd, "costs", "--tenant", account)[-1]

    def metrics(name: str) -> Decimal:
        with urlopen(f"http://127.0.0.1:{desk}/metrics", timeout=30) as told:
            return summed(told.read().decode(), name, mark)

    # The desk asks the ledger every few seconds.
    herd.reaches(lambda: metrics("penstock_ledger_cost_usd") == money(costs["cost_usd"]), 30.0)
    return Told(
        Decimal(charged["cost_usd"]),
        {name: Decimal(cost) for name, cost in charged["items"].items()},
        costs,
        penstock(herd, "status", "--batch", account)[-1]["cost"],
        metrics("penstock_ledger_cost_usd"),
        metrics("penstock_ledger_unsure_usd"),
        frozenset(line["name"] for line in penstock(herd, "costs", "--by", "unsure", "--tenant", account)),
    )


def penstock(herd: Herd, *arguments: str) -> list[dict[str, Any]]:
    """Run the command as an operator would; gives what it says on stdout. Raises CalledProcessError."""
    command = [sys.executable, "-m", "shared.cli.main", *arguments, "--json"]
    ran = subprocess.run(command, env=herd.environment, capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def summed(exposition: str, name: str, mark: str) -> Decimal:
    """The sum of a metric over the models of this run."""
    lines = re.findall(rf"^{name}\{{([^}}]*)\}} (\S+)$", exposition, re.MULTILINE)
    return sum((money(float(value)) for labels, value in lines if mark in labels), Decimal(0))


def money(amount: float) -> Decimal:
    """A sum of floats as the decimal that it stands for."""
    return Decimal(repr(amount)).quantize(PLACES)
