"""Dead letters of six causes, two of them mended and replayed, and the replayer killed at random moments.

What re-entered is counted by an outsider, who reads the topics with a client of his own; what was paid, by the
provider's own bill. The forecast is what `--dry-run` says before anything moves.
"""

import random
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

from infra.bench import outsider
from infra.bench.bench import JOB, JOB_DONE, Bench
from infra.bench.engine.two_models import bill
from infra.bench.failures.mended import CAUSES, CHAIN, MENDED, PIPELINE, SHAPE
from infra.bench.figures import Figures
from infra.bench.herd import Herd, Unreached
from infra.bench.registry import write_registry
from infra.local.parts.ports import free_port
from shared.kafka.admin import ensure, plan

FIXED = ("torn", "refused")
"""The causes that are mended."""
MODULE = "infra.bench.failures.mended"
WORDS = ("invoice", "total", "amount", "due", "date", "customer", "order", "delivery", "number", "street", "city")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenario is."""

    letters: int
    """Dead letters in all."""
    healthy: int
    """Documents without a cause: what they cost is what the forecast rests on."""
    kills: int
    """How often the replayer is killed."""
    rate: float
    """Letters a second."""


FULL = Size(letters=5_000, healthy=600, kills=10, rate=150.0)
SMALL = Size(letters=120, healthy=30, kills=2, rate=20.0)


@dataclass(slots=True)
class Trial:
    """One run: its pipeline, its processes, and how the outsider reads them."""

    bench: Bench
    name: str
    herd: Herd
    port: int
    kills: int = 0
    """How often the replayer was killed while it was at work."""
    dice: random.Random = field(default_factory=lambda: random.Random("replay"))

    def records(self, topic: str) -> list[outsider.Stamped]:
        """What is committed on a topic of the pipeline."""
        return outsider.read_stamped(self.bench.kafka, f"{self.name}.{topic}")

    def replayed(self) -> list[outsider.Stamped]:
        """What has re-entered."""
        return [one for one in self.records("judge") if "penstock-replayed" in one.headers]

    def results(self) -> list[str]:
        """Documents that ended."""
        return [outsider.decoded(JOB_DONE, one.value)["document_id"] for one in self.records("results")]

    def bill(self) -> tuple[int, Decimal]:
        """Calls that were answered, and what they cost."""
        said = bill(self.port)
        return int(said["calls"]), Decimal(said["cost_usd"])

    def start(self, mended: str = "") -> "subprocess.Popen[bytes]":
        """A process of `judge` in which these causes are mended."""
        return self.herd.start(MODULE, "judge", **{MENDED: mended})


def replay(bench: Bench) -> Figures:
    """Fail, mend, replay under kills, audit."""
    size = SMALL if bench.small else FULL
    name, port = f"bench_mended_{uuid.uuid4().hex[:8]}", free_port()
    folder = bench.folder / name
    folder.mkdir()
    told = {
        PIPELINE: name,
        "PENSTOCK_PIPELINE": f"{MODULE}:{name}",
        "PENSTOCK_IN_FLIGHT": "48",
        "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{port}",
    } | write_registry(folder / "models.toml", {CHAIN: [f"sim-{name}"]})
    with Herd(bench.parts, folder, **told) as herd:
        trial = Trial(bench, name, herd, port)
        herd.start("infra.modelsim", PENSTOCK_MODELSIM_PORT=str(port), PENSTOCK_MODELSIM_LATENCY_MS="5")
        fail(trial, size)
        return mend(trial, size)


def fail(trial: Trial, size: Size) -> None:
    """Have every document end: dead-lettered for its cause, or stored."""
    bench, herd = trial.bench, trial.herd
    pipeline = replace(SHAPE, name=trial.name)
    ensure({"bootstrap.servers": bench.kafka}, plan(pipeline))
    herd.start(MODULE, "read")
    judges = [trial.start() for _ in range(2)]
    given = [(job["document_id"], outsider.encoded(JOB, job)) for job in jobs(trial.dice, size)]
    outsider.publish(bench.kafka, f"{trial.name}.ingest", given)
    ends = {"judge.dlq": size.letters, "results": size.healthy}
    herd.wait_until(lambda: all(trial_has(trial, topic, count) for topic, count in ends.items()), 1200)
    bench.say(f"replay: {size.letters:,} dead letters of {len(CAUSES)} causes")
    for judge in judges:
        judge.terminate()
        judge.wait(60)


def trial_has(trial: Trial, topic: str, count: int) -> bool:
    """Whether the topic holds so many committed records; asked only once its end is far enough."""
    full = f"{trial.name}.{topic}"
    return outsider.end(trial.bench.kafka, full) >= count and len(trial.records(topic)) >= count


def mend(trial: Trial, size: Size) -> Figures:
    """Mend two causes, replay their letters while the replayer is killed, and say what was found."""
    bench, herd = trial.bench, trial.herd
    chosen = {
        f"{trial.name}.judge.dlq/{one.partition}/{one.offset}": one
        for one in trial.records("judge.dlq")
        if outsider.decoded(JOB, one.value)["chain"] in FIXED
    }
    groups = trial.herd.penstock("dlq", "list", "--groups")
    wanted = [
        one["cause"] for one in groups if one["example_id"].replace("judge/", f"{trial.name}.judge.dlq/") in chosen
    ]
    filters = [option for cause in wanted for option in ("--cause", cause)]
    for _ in range(2):
        trial.start(",".join(FIXED))
    [planned] = trial.herd.penstock("dlq", "replay", *filters, "--dry-run")
    calls, cost = trial.bill()
    asked = ("dlq", "replay", *filters, "--rate", f"{size.rate:g}", "--canary", "10", "--reason", "mended")
    kill_again_and_again(trial, size, asked)
    [last] = trial.herd.penstock(*asked)
    herd.wait_until(lambda: trial_has(trial, "results", size.healthy + len(chosen)), 600)
    after, spent = trial.bill()
    seen = trial.replayed()
    again = trial.herd.penstock(*asked) + trial.herd.penstock("dlq", "replay", "--resume", receipt_of(trial))
    second = len(trial.replayed()) - len(seen) + sum(len(one["replayed"]) for one in again)
    figures: Figures = {
        "replay_letters": size.letters,
        "replay_causes": len(groups),
        "replay_chosen": len(chosen),
        "replay_kills": trial.kills,
        "replay_wrong": wrong(chosen, seen, trial.results(), size.healthy),
        "replay_second": second,
        "replay_repaid": after - calls - len(chosen),
        "replay_forecast_error": abs(planned["forecast"]["cost_usd"] / float(spent - cost) - 1),
    }
    bench.say(f"replay: forecast ${planned['forecast']['cost_usd']:.4f}, paid ${spent - cost:.4f}; last run {last}")
    bench.say("replay: " + ", ".join(f"{key} {figure:g}" for key, figure in figures.items()))
    return figures


def kill_again_and_again(trial: Trial, size: Size, asked: tuple[str, ...]) -> None:
    """Start the replay and kill it, at a random time after its start, or a random number of letters further on."""
    topic = f"{trial.name}.judge"
    share = max(2, round(size.letters * len(FIXED) / len(CAUSES) / (size.kills + 2)))
    while trial.kills < size.kills:
        process = trial.herd.start("shared.cli.main", *asked)
        before = outsider.end(trial.bench.kafka, topic)
        goal = before + trial.dice.randrange(1, share) if trial.kills % 3 else 0
        deadline = time.monotonic() + (60 if goal else trial.dice.uniform(0.2, 3.0))
        while process.poll() is None and time.monotonic() < deadline:
            if goal and outsider.end(trial.bench.kafka, topic) >= goal:
                break
            time.sleep(0.02)
        if process.poll() is not None:
            raise Unreached(f"the replay ended after {trial.kills} kills:\n{trial.herd.log()}")
        process.kill()
        process.wait()
        trial.kills += 1
        trial.bench.say(f"replay: killed {trial.kills} of {size.kills}, {len(trial.replayed()):,} have re-entered")


def receipt_of(trial: Trial) -> str:
    """The newest receipt."""
    return str(trial.herd.penstock("dlq", "receipts")[-1]["id"])


def wrong(chosen: dict[str, outsider.Stamped], seen: list[outsider.Stamped], results: list[str], healthy: int) -> int:
    """Letters that did not re-enter, re-entered twice, or should not have; records changed on the way; odd results."""
    found = Counter(one.headers["penstock-replayed"].decode() for one in seen)
    missing = len(chosen.keys() - found.keys())
    strangers = sum(times for letter, times in found.items() if letter not in chosen)
    doubled = sum(times - 1 for letter, times in found.items() if letter in chosen)
    changed = 0
    for one in seen:
        letter = chosen.get(one.headers["penstock-replayed"].decode())
        changed += letter is not None and (letter.key, letter.value) != (one.key, one.value)
    ended = Counter(results)
    unended = sum(ended[one.key.decode()] != 1 for one in chosen.values())
    return missing + strangers + doubled + changed + unended + abs(len(results) - healthy - len(chosen))


def jobs(dice: random.Random, size: Size) -> Iterator[dict[str, Any]]:
    """Documents of all causes and of none, of all lengths, mixed."""
    causes = [*islice(cycle(CAUSES), size.letters), *[""] * size.healthy]
    dice.shuffle(causes)
    for number, cause in enumerate(causes):
        text = " ".join(dice.choices(WORDS, k=dice.randrange(20, 300)))
        yield {
            "document_id": f"doc-{number}",
            "sequence": number,
            "seconds": 0.0,
            "chain": cause,
            "failures": 0,
            "padding": text.encode(),
        }
