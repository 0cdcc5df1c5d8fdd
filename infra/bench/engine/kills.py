"""`kill -9` at random moments, three processes, both group protocols: what an auditor finds, and when work goes on."""

import random
import time
from collections.abc import Iterator
from typing import Any

from infra.bench.auditor import Kill, gone_on, repeats, verdict
from infra.bench.bench import Bench, Run
from infra.bench.figures import Figures, percentile, together
from infra.bench.notes import END
from infra.bench.sample.pipeline import WORK

PROTOCOLS = ("consumer", "classic")
PROCESSES = 3
RECORDS_OF_A_DOCUMENT = 4
IN_FLIGHT = 16
"""Few enough that the work lasts as long as the kills do."""
CALM_SECONDS = 60.0
"""How long a kill waits for calm."""


def kills(bench: Bench) -> Figures:
    """Run the audit once for each group protocol; the small form with the embedded broker's alone."""
    documents, count = (600, 2) if bench.small else (20_000, 30)
    audited: list[Figures] = []
    alone: list[float] = []
    among_others: list[float] = []
    for protocol in PROTOCOLS[:1] if bench.small else PROTOCOLS:
        figures, pauses = audit(bench, protocol, documents, count)
        audited.append(figures)
        alone += [seconds for found in pauses[::3] for seconds in found]
        among_others += [seconds for number, found in enumerate(pauses) if number % 3 for seconds in found]
    return together(audited) | {
        "recovery_p50_s": percentile(alone, 0.5),
        "recovery_p95_s": percentile(alone, 0.95),
        "recovery_overlapping_p95_s": percentile(among_others, 0.95),
    }


def audit(bench: Bench, protocol: str, documents: int, count: int) -> tuple[Figures, list[list[float]]]:
    """Kill so many times under one protocol; gives the audit and, for each kill, the seconds until partitions went on.

    Of three kills the last one may come while the work of the one before it has not gone on, as it can in life. Both of
    these are timed apart: who was to take over may be the next one that dies. The first one of three, and the one after
    it, wait until all partitions have gone on. Nobody is killed once the work is done.
    """
    dice = random.Random(protocol)
    settings = {"PENSTOCK_GROUP_PROTOCOL": protocol, "PENSTOCK_IN_FLIGHT": str(IN_FLIGHT)}
    with Run(bench, WORK, settings) as run:
        run.publish(jobs(dice, documents, longest=0.5 if bench.small else 1.0))
        partitions = run.partitions()
        running = [run.start(slot) for slot in range(PROCESSES)]
        made: list[Kill] = []

        def calm() -> bool:
            notes = run.notes.all()
            return all(None not in gone_on(notes, kill, partitions, run.published).values() for kill in made[-2:])

        for number, goal in enumerate(goals(dice, documents, count)):
            if not run.goes_on_to(goal):
                break
            if number % 3 < 2:
                run.herd.reaches(calm, CALM_SECONDS)
            if len(run.notes.calls(END)) == len(run.published):
                break
            victim = dice.randrange(PROCESSES)
            made.append(Kill(running[victim].pid, time.monotonic()))
            running[victim].kill()
            running[victim] = run.start(victim)
            bench.say(f"kills, {protocol}: {len(made)} of {count}, {len(run.notes.calls(END)):,} of {documents:,} done")
        run.wait_for_the_end()
        results, notes = run.results(), run.notes.all()
    figures = verdict(run.published, results) | repeats(notes, results, made) | {"kills": len(made)}
    gone = (gone_on(notes, kill, partitions, run.published) for kill in made)
    found = [[seconds for seconds in each.values() if seconds] for each in gone]
    bench.say(f"kills, {protocol}: " + ", ".join(f"{name} {figure:.0f}" for name, figure in figures.items()))
    return figures, found


def jobs(dice: random.Random, count: int, longest: float) -> Iterator[dict[str, Any]]:
    """Records of documents that come several times each, numbered; their calls take differently long."""
    several = count // RECORDS_OF_A_DOCUMENT
    for i in range(several * RECORDS_OF_A_DOCUMENT):
        seconds = dice.uniform(longest / 3, longest)
        yield {"document_id": f"d{i % several}", "sequence": i // several, "seconds": seconds}


def goals(dice: random.Random, documents: int, count: int) -> Iterator[int]:
    """After how many documents each kill comes: at random within its share of the work."""
    share = documents // (count + 1)
    for number in range(count):
        yield share * number + dice.randrange(1, share)
