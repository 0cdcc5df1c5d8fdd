"""Documents through the five services while calls fail and their processes are killed: what did it cost?

Four tell it: the provider's own bill, `penstock costs`, `penstock status`, and the metrics. Calls whose answer nobody
saw are the only ones about which the first may differ from the others: each of them has a name, and is looked up on
the bill. Without these the sums are equal, or the account is wrong.
"""

import random
import signal
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.bench import Bench
from infra.bench.engine.two_models import bill, order
from infra.bench.failures.mixed import settled
from infra.bench.figures import Figures
from infra.bench.herd import Herd
from infra.bench.insights.told import Told, money, summed, total
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
STALL_SECONDS = 60.0
RECOVERY_SECONDS = 5
"""Faults in a row open a breaker now and then: the run is not to stand for the usual two minutes each time."""
REGISTRY = (
    HEAD.format(timeout=10)
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


@dataclass(frozen=True, slots=True)
class Run:
    """The services at work, and those who know what it costs."""

    herd: Herd
    kafka: str
    mark: str
    """Of this run: its batch, its tenant, and in the names of its models and documents."""
    provider: int
    """Port of the simulated provider."""
    desk: int
    """Port of the review desk, which tells the ledger's metrics."""

    @property
    def requests(self) -> int:
        """How many the provider has had."""
        return sum(int(line["requests"]) for line in bill(self.provider)["models"].values())

    def metrics(self, name: str) -> Decimal:
        """The sum of a metric of the desk over the models of this run."""
        with urlopen(f"http://127.0.0.1:{self.desk}/metrics", timeout=30) as told:
            return summed(told.read().decode(), name, self.mark)

    def costs(self) -> list[dict[str, Any]]:
        """What the models of this run have cost, by whose account it is on."""
        lines = self.penstock("costs", "--by", "model", "--by", "tenant", "--limit", "100000")
        return [line for line in lines if self.mark in line.get("model", "")]

    def penstock(self, *arguments: str) -> list[dict[str, Any]]:
        """Run the command as an operator would; gives what it says on stdout."""
        return self.herd.penstock(*arguments, timeout=120)

    def publish(self, names: Iterable[str]) -> None:
        """Hand documents in."""
        outsider.publish(self.kafka, "documents.ingest", ((name, submission(name, self.mark)) for name in names))

    def end(self, how: signal.Signals) -> None:
        """End the analyze process."""
        [victim] = [one for one in self.herd.processes if "services.analyze" in one.args and one.poll() is None]  # type: ignore[operator]
        victim.send_signal(how)
        victim.wait(STALL_SECONDS)

    def kill(self) -> None:
        """Kill the analyze process and start the next one."""
        self.end(signal.SIGKILL)
        self.herd.start("services.analyze", PENSTOCK_MODELSIM_URL=f"http://127.0.0.1:{self.provider}")


def cost(bench: Bench) -> Figures:
    """Publish, kill whoever asks models again and again, and ask everybody what it has cost."""
    count, kills = (30, 1) if bench.small else (400, 10)
    mark = uuid.uuid4().hex[:8]
    ensure({"bootstrap.servers": bench.kafka}, plan(DOCUMENTS))
    names = [f"{mark}-{number:04d}" for number in range(count)]
    folder = bench.folder / f"cost-{mark}"
    folder.mkdir()
    registry = folder / "models.toml"
    registry.write_text(REGISTRY.format(mark=mark), "utf-8")
    told = {"PENSTOCK_MODELS_FILE": str(registry), "PENSTOCK_BREAKER__RECOVERY": str(RECOVERY_SECONDS)}
    with Herd(bench.parts, folder, **NOBODY, **told) as herd:
        provider, desk = start(herd, LATENCY_MS).provider, free_port()
        herd.start("services.review", PENSTOCK_HEALTH_PORT=str(desk))
        for fault, share in SHARES.items():
            order(provider, "POST", {"fault": fault, "share": share, "after": 0.2})
        run = Run(herd, bench.kafka, mark, provider, desk)
        publish_and_kill(run, [names[start :: kills + 1] for start in range(kills + 1)])
        ends = settled(bench, herd, names)
        said = asked(run)
    figures = {
        "cost_documents": count,
        "cost_others": int(said.others.get("documents", 0)),
        "cost_unended": len(set(names) - ends.all),
        "cost_kills": kills,
        "cost_difference": float(said.difference()),
        "cost_bill_usd": float(said.bill),
        "cost_account_usd": float(said.costs["cost_usd"]),
        "cost_failed_usd": float(said.costs["failed_usd"]),
        "cost_unsure_usd": float(said.costs["unsure_usd"]),
        "cost_unsure_calls": float(said.costs["unsure_calls"] + said.costs["in_flight"]),
        "cost_unsure_on_bill": len(said.unsure & said.charged.keys()),
        "cost_cached_tokens": said.costs["cached_tokens"],
        "cost_reasoning_tokens": said.costs["reasoning_tokens"],
    }
    bench.say("cost: " + ", ".join(f"{who} {said}" for who, said in said.sums.items()))
    bench.say("cost: " + ", ".join(f"{name} {figure:.6g}" for name, figure in figures.items()))
    return figures


def submission(name: str, mark: str) -> bytes:
    """A document as it is handed in, on an account and in a batch of its own run."""
    said: dict[str, Any] = {
        "document_id": name,
        "content": INVOICE.format(name=name).encode(),
        "tasks": ["extraction", "summarization"],
        "tenant": mark,
        "batch_id": mark,
    }
    return outsider.encoded(SUBMITTED, said)


def publish_and_kill(run: Run, parts: Sequence[Sequence[str]]) -> None:
    """Hand documents in part by part, and kill the analyze process in the midst of the calls of each but the last."""
    dice = random.Random("cost")
    for part in parts[:-1]:
        goal = run.requests + round(len(part) * dice.uniform(0.2, 1.8))
        run.publish(part)
        run.herd.wait_until(lambda goal=goal: run.requests >= goal, STALL_SECONDS, lambda: "no calls")  # type: ignore[misc]
        run.kill()
    run.publish(parts[-1])


def asked(run: Run) -> Told:
    """Ask everybody, once nobody asks models any more."""
    # What it is still asking for a document that has ended would be on the bill and not yet in the account.
    run.end(signal.SIGTERM)
    billed, costs = bill(run.provider, items=True), run.costs()
    paid = money(total(costs)["cost_usd"])
    # The desk asks the ledger every few seconds.
    run.herd.reaches(lambda: run.metrics("penstock_ledger_cost_usd") == paid, STALL_SECONDS)
    unsure = run.penstock("costs", "--by", "unsure")
    return Told(
        Decimal(billed["cost_usd"]),
        {name: Decimal(cost) for name, cost in billed["items"].items()},
        total(costs),
        total(line for line in costs if line["tenant"] != run.mark),
        run.penstock("status", "--batch", run.mark)[-1]["cost"],
        run.metrics("penstock_ledger_cost_usd") - run.metrics("penstock_ledger_unsure_usd"),
        frozenset(line["name"] for line in unsure if run.mark in line["model"]),
    )
