"""The groups of documents that fail far more often than the others: each one once, by its shortest description.

One rule makes hundreds of combinations stand out: those that hold it, and those that are part of it. So the strongest
is taken, described as shortly and as narrowly as it can be, its documents are put aside, and the rest looked at anew,
until nothing is left that chance could not have made. By the number of comparisons that chance had, the chance that a
report without any cause says anything at all is at most one in a hundred. That is stricter than a bound on the false
share of what is found, and on purpose: one rule makes a hundred true combinations, and by their number such a bound
would let one false sentence through with every rule.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.core.atlas.chance import log_excess, log_term
from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import TIME, Condition
from shared.core.atlas.population import DEPTH, LEAST, Group, Population, Tally

SAME = 1e-6
"""Two groups that are as sure as this are the same documents."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is worth saying."""

    chance: float = 0.01
    """Most chance that a report without any cause says anything."""
    documents: int = LEAST
    """Fewest documents of which a rate is told, and fewest others to hold it against."""
    failures: int = 5
    """Fewest failures."""
    ratio: float = 1.5
    """It must fail surely more than so many times as often as the others: less is no news."""
    excess: float = 0.01
    """And at least by so much more of all its documents."""
    worse: float = 0.001
    """Most chance under which a condition counts as adding something to a description."""


@dataclass(frozen=True, slots=True)
class Found:
    """A group that stands out at one stage by one class."""

    population: Population
    """All that reached the stage."""
    failing: frozenset[int]
    """Rows of those that failed so."""
    group: Group
    """What those that are meant have in common."""
    log_chance: float
    """Logarithm of the chance that it stands out by chance, before the number of comparisons."""


def search(ends: Iterable[Ended], policy: Policy | None = None) -> list[Found]:
    """Everything that stands out, the surest first."""
    policy = policy or Policy()
    by_stage: dict[str, list[Ended]] = defaultdict(list)
    for ended in ends:
        by_stage[ended.stage].append(ended)
    looks = [look for stage in sorted(by_stage) for look in _looks(by_stage[stage], policy)]
    comparisons = sum(look.comparisons for look in looks)
    if not comparisons:
        return []
    found = [one for look in looks for one in look.findings(math.log(policy.chance / comparisons))]
    return sorted(found, key=lambda one: one.log_chance)


def _looks(ends: Sequence[Ended], policy: Policy) -> Iterator["_Look"]:
    """One look at each class that failed often enough."""
    classes = Counter(ended.failure for ended in ends if ended.failure)
    often = sorted(name for name, count in classes.items() if count >= policy.failures)
    if not often:
        return
    population = Population(ends)
    for name in often:
        yield _Look(population, [row for row, ended in enumerate(ends) if ended.failure == name], policy)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Those among whom a group stands out."""

    documents: int
    """How many they are."""
    failed: int
    """How many of them failed so."""


class _Look:
    """One class at one stage, and what of it is not yet explained."""

    def __init__(self, population: Population, failing: Sequence[int], policy: Policy) -> None:
        self._population, self._policy = population, policy
        self._failing = frozenset(failing)
        self._among: Sequence[int] = range(len(population.ends))
        """Rows that are not yet explained."""
        self._documents = population.tally
        self._failed = population.counted(failing)
        self.comparisons = tellable(population.tally, policy)
        """Groups of which a rate could be told: by what chance had to choose from, whatever failed."""

    def findings(self, most: float) -> list[Found]:
        """What stands out by less than that logarithm of a chance, one after another."""
        found: list[Found] = []
        said: set[frozenset[Condition]] = set()
        self._documents = {places: dict(counts) for places, counts in self._documents.items()}
        while (best := self._best(most)) is not None:
            group, log_chance = best
            group = self._narrowed(self._shortened(group, most))
            self._put_aside(group)
            who = frozenset(condition for condition in group if condition.factor != TIME)
            # What lies between the true beginning and the bound beside it stands out once more: told once.
            if who not in said:
                said.add(who)
                found.append(Found(self._population, self._failing, group, log_chance))
        return found

    def _best(self, most: float) -> tuple[Group, float] | None:
        """The surest group of what is left, if it is sure enough."""
        return self._surest(self._documents, self._failed, self._seen(self._among), most)

    def _surest(self, documents: Tally, failed: Tally, seen: "_Seen", most: float) -> tuple[Group, float] | None:
        """The surest group of a tally; of several that are the same documents the one with the fewest conditions."""
        best, place = most, None
        for places, counts in failed.items():
            for key, count in counts.items():
                if count < self._policy.failures:
                    continue
                sure = self._excess(count, documents[places][key], seen, best)
                if sure is not None and (place is None or sure < best - SAME):
                    best, place = sure, (places, key)
        return (self._population.group(*place), best) if place else None

    def _seen(self, rows: Sequence[int]) -> "_Seen":
        return _Seen(len(rows), sum(row in self._failing for row in rows))

    def _excess(self, count: int, documents: int, seen: "_Seen", most: float) -> float | None:
        """How sure one group of those is; None where it is not worth saying, or less sure than that."""
        policy, others, others_failed = self._policy, seen.documents - documents, seen.failed - count
        if documents < policy.documents or others < policy.documents:
            return None
        rate, baseline = count / documents, others_failed / others
        if rate <= policy.ratio * baseline or rate - baseline < policy.excess:
            return None
        weight = documents * policy.ratio
        # One term is less than the sum of all: most groups end here.
        if log_term(count, seen.failed, weight / (weight + others)) > most:
            return None
        found = log_excess(count, documents, others_failed, others, policy.ratio)
        return found if found <= most else None

    def _shortened(self, group: Group, most: float) -> Group:
        """Without the conditions that add nothing: what they leave out fails as often."""
        seen = self._seen(self._among)
        while len(group) > 1:
            failed, documents = self._count(group)
            wider = []
            for without in (tuple(c for c in group if c is not one) for one in group):
                more_failed, more = self._count(without)
                chance = log_excess(failed, documents, more_failed - failed, more - documents)
                sure = self._excess(more_failed, more, seen, most)
                if chance > math.log(self._policy.worse) and sure is not None:
                    wider.append((sure, without))
            if not wider:
                break
            group = min(wider, key=lambda one: one[0])[1]
        return group

    def _narrowed(self, group: Group) -> Group:
        """Down to the part that fails far more often than the rest of the group, where there is one."""
        population = self._population
        while True:
            rows = population.members(group, self._among)
            child = self._worst_part(rows, [one for one in population.combinations if self._may_add(group, one)])
            if child is None:
                return group
            group = both(group, child)

    def _may_add(self, group: Group, places: tuple[int, ...]) -> bool:
        """Whether these factors may narrow a group: few together, each new or a number; a beginning always may."""
        axes = [self._population.axes[place] for place in places]
        fixed = {condition.factor for condition in group}
        new = {axis.factor.name for axis in axes} - fixed - {TIME}
        return len(fixed - {TIME}) + len(new) <= DEPTH and all(
            axis.factor.bounds or axis.factor.name not in fixed for axis in axes
        )

    def _worst_part(self, rows: Sequence[int], only: Sequence[tuple[int, ...]]) -> Group | None:
        """The part of these that stands out among them."""
        documents = self._population.counted(rows, only)
        failed = self._population.counted([row for row in rows if row in self._failing], only)
        most = math.log(self._policy.chance / max(tellable(documents, self._policy), 1))
        found = self._surest(documents, failed, self._seen(rows), most)
        return found[0] if found else None

    def _count(self, group: Group) -> tuple[int, int]:
        """Failures and documents of a group, of what is left."""
        places, key = self._population.key(group)
        return self._failed[places].get(key, 0), self._documents[places].get(key, 0)

    def _put_aside(self, group: Group) -> None:
        """Take the group's documents out of all counts."""
        gone = self._population.members(group, self._among)
        lost = set(gone)
        self._among = [row for row in self._among if row not in lost]
        _subtract(self._documents, self._population.counted(gone))
        _subtract(self._failed, self._population.counted([row for row in gone if row in self._failing]))


def tellable(documents: Tally, policy: Policy) -> int:
    """How many groups have documents enough for a rate to be told."""
    return sum(count >= policy.documents for counts in documents.values() for count in counts.values())


def both(group: Group, part: Group) -> Group:
    """The conditions of a group and of a part of it: of two ranges of a number what they share."""
    narrower = {condition.factor: condition for condition in part}
    kept = []
    for condition in group:
        other = narrower.pop(condition.factor, None)
        kept.append(condition if other is None else _shared(condition, other))
    return (*kept, *narrower.values())


def _shared(one: Condition, other: Condition) -> Condition:
    lows = [bound for bound in (one.over, other.over) if bound is not None]
    highs = [bound for bound in (one.upto, other.upto) if bound is not None]
    return Condition(one.factor, over=max(lows, default=None), upto=min(highs, default=None))


def _subtract(counts: Tally, gone: Tally) -> None:
    for places, lost in gone.items():
        left = counts[places]
        for key, count in lost.items():
            left[key] -= count
