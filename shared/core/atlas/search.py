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
from shared.core.atlas.factors import TIME
from shared.core.atlas.population import DEPTH, LEAST, Group, Population, Tally


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


class _Look:
    """One class at one stage, and what of it is not yet explained."""

    def __init__(self, population: Population, failing: Sequence[int], policy: Policy) -> None:
        self._population, self._policy = population, policy
        self._failing = frozenset(failing)
        self._left = range(len(population.ends))
        """Rows that are not yet explained."""
        self._among: Sequence[int] | range = self._left
        self._documents = population.tally
        self._failed = population.counted(failing)
        self.comparisons = sum(
            count >= policy.documents for counts in population.tally.values() for count in counts.values()
        )
        """Groups of which a rate could be told: by what chance had to choose from, whatever failed."""

    def findings(self, most: float) -> list[Found]:
        """What stands out by less than that logarithm of a chance, one after another."""
        found: list[Found] = []
        self._documents = {places: dict(counts) for places, counts in self._documents.items()}
        while (best := self._best(most)) is not None:
            group, log_chance = best
            group = self._narrowed(self._shortened(group, most))
            found.append(Found(self._population, self._failing, group, log_chance))
            self._put_aside(group)
        return found

    def _best(self, most: float) -> tuple[Group, float] | None:
        """The surest group, if it is sure enough; of several that are the same documents the shortest."""
        total, failed = len(self._among), sum(row in self._failing for row in self._among)
        best: tuple[float, int] = (most, 0)
        place: tuple[tuple[int, ...], int] | None = None
        for places, counts in self._failed.items():
            documents = self._documents[places]
            for key, count in counts.items():
                if count < self._policy.failures:
                    continue
                log_chance = self._excess(count, documents[key], failed, total, best[0])
                if log_chance is not None and (log_chance < best[0] - 1e-6 or place is None):
                    best, place = (log_chance, len(places)), (places, key)
        return (self._population.group(*place), best[0]) if place else None

    def _excess(self, count: int, documents: int, failed: int, total: int, most: float) -> float | None:
        """How sure one group is; None where it is not worth saying, or less sure than that."""
        policy, others, others_failed = self._policy, total - documents, failed - count
        if documents < policy.documents or others < policy.documents:
            return None
        rate, baseline = count / documents, others_failed / others
        if rate <= policy.ratio * baseline or rate - baseline < policy.excess:
            return None
        weight = documents * policy.ratio
        # One term is less than the sum of all: most groups end here.
        if log_term(count, failed, weight / (weight + others)) > most:
            return None
        found = log_excess(count, documents, others_failed, others, policy.ratio)
        return found if found <= most else None

    def _shortened(self, group: Group, most: float) -> Group:
        """Without the conditions that add nothing: what they leave out fails as often."""
        while len(group) > 1:
            failed, documents = self._count(group)
            wider = []
            for without in (tuple(c for c in group if c is not one) for one in group):
                more_failed, more = self._count(without)
                chance = log_excess(failed, documents, more_failed - failed, more - documents)
                total, every = len(self._among), sum(row in self._failing for row in self._among)
                sure = self._excess(more_failed, more, every, total, most)
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
            named = {condition.factor for condition in child}
            group = (*(condition for condition in group if condition.factor not in named), *child)

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
        population, policy = self._population, self._policy
        documents = population.counted(rows, only)
        hit = [row for row in rows if row in self._failing]
        failed = population.counted(hit, only)
        tests = sum(count >= policy.documents for counts in documents.values() for count in counts.values())
        best, place = math.log(policy.chance / max(tests, 1)), None
        for places, counts in failed.items():
            for key, count in counts.items():
                sure = self._excess(count, documents[places][key], len(hit), len(rows), best)
                if sure is not None and (place is None or sure < best - 1e-6):
                    best, place = sure, (places, key)
        return population.group(*place) if place else None

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


def _subtract(counts: Tally, gone: Tally) -> None:
    for places, lost in gone.items():
        left = counts[places]
        for key, count in lost.items():
            left[key] -= count
