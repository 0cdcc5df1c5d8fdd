"""Planted rules: how many of them the atlas names, how much of what it says is right, and what it says of nothing."""

import random
import statistics
import time
from collections.abc import Sequence

from infra.bench.bench import Bench
from infra.bench.figures import Figures
from infra.bench.insights.synthetic import Rule, World, overlap
from shared.core.atlas.ended import Ended
from shared.core.atlas.search import Found, search

STRENGTHS = (0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7)
"""The part of its documents that each planted rule makes fail."""
SAME = 0.5
"""A sentence is about a rule where they share at least so much of the documents of either."""
SEEDS = (11, 22, 33, 44, 55)
"""Data sets with rules; the middle one's figures are given, and the worst one's beside them."""


def planted(bench: Bench) -> Figures:
    """Search data sets with planted rules and data sets without any."""
    outcomes, seeds, empty = (20_000, SEEDS[:1], 4) if bench.small else (100_000, SEEDS, 200)
    found, precise, seconds = [], [], []
    for seed in seeds:
        rules, ends = with_rules(seed, outcomes)
        began = time.process_time()
        told = search(ends)
        seconds.append(time.process_time() - began)
        named, right = judged(rules, ends, told)
        found.append(named)
        precise.append(right / len(told) if told else 1.0)
        bench.say(f"planted, seed {seed}: {named} of {len(rules)} rules named, {right} of {len(told)} sentences right")
    talked = sum(bool(search(without_rules(1000 + seed, outcomes // 5))) for seed in range(empty))
    bench.say(f"planted: {talked} of {empty} data sets without a rule said something")
    return {
        "planted_found": statistics.median_low(found),
        "planted_found_worst": min(found),
        "precision": statistics.median_low(precise),
        "precision_worst": min(precise),
        "null_reports": talked / empty,
        "atlas_cpu_s": statistics.median_low(seconds),
    }


def with_rules(seed: int, outcomes: int) -> tuple[list[Rule], list[Ended]]:
    """A data set with one rule of each strength."""
    world = World(random.Random(f"planted {seed}"))
    sample = [world.document(number, number / 10_000) for number in range(10_000)]
    rules = world.rules(STRENGTHS, sample)
    return rules, list(world.ends(outcomes, rules))


def without_rules(seed: int, outcomes: int) -> list[Ended]:
    """A data set in which nothing but chance makes documents fail."""
    return list(World(random.Random(f"empty {seed}")).ends(outcomes, ()))


def judged(rules: Sequence[Rule], ends: Sequence[Ended], told: Sequence[Found]) -> tuple[int, int]:
    """How many rules are named, and how many sentences are right: a second one about the same rule is not."""
    named: set[int] = set()
    for one in told:
        said = {one.population.ends[row].document_id for row in members(one)}
        stage, failure = one.population.ends[0].stage, one.population.ends[min(one.failing)].failure
        for number, rule in enumerate(rules):
            if number in named or (rule.stage, rule.failure) != (stage, failure):
                continue
            meant = {ended.document_id for ended in ends if ended.stage == stage and rule.meant(ended)}
            if overlap(said, meant) >= SAME:
                named.add(number)
                break
    return len(named), len(named)


def members(one: Found) -> list[int]:
    """Rows of all documents that a sentence speaks of."""
    return one.population.members(one.group, range(len(one.population.ends)))
