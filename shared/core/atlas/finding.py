"""What stands out, with its figures: the rate and its interval, the others' rate, since when, what else is common."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.core.atlas.beginning import beginning
from shared.core.atlas.chance import wilson
from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import TIME, Condition
from shared.core.atlas.population import Group, Population
from shared.core.atlas.search import Found, Policy, search

NEARLY_ALL = 0.95
"""Part of the failed ones that must have a value for it to be common to them."""
FEWER = 0.8
"""Part of the others that may have it at most: what everybody has explains nothing."""
COMMON = 3
"""Most that is told of what is common besides."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A group of documents that fails far more often than the others."""

    stage: str
    """Where they fail."""
    failure: str
    """How."""
    group: Group
    """What the documents have in common."""
    documents: int
    """How many there are, since it began."""
    failed: int
    """How many of them failed so."""
    low: float
    """Lower end of the rate's interval of 95 %."""
    high: float
    """Its upper end."""
    others: int
    """The rest of what reached the stage in that time; where the group is everybody, what reached it before."""
    others_failed: int
    """How many of those failed so."""
    since: float | None
    """When it began, in seconds since 1970; None: as far back as anything is known."""
    common: Group = ()
    """What nearly all that failed have in common besides, and the others have not."""

    @property
    def rate(self) -> float:
        """The part that failed so."""
        return self.failed / self.documents

    @property
    def baseline(self) -> float:
        """The part of the others that failed so."""
        return self.others_failed / self.others if self.others else 0.0


def findings(ends: Iterable[Ended], policy: Policy | None = None) -> list[Finding]:
    """Everything that stands out among these documents, the most failures first."""
    told = [one for found in search(ends, policy) if (one := _told(found)) is not None]
    return sorted(told, key=lambda one: (-one.failed, one.stage, one.failure))


def _told(found: Found) -> Finding | None:
    """Its figures, since it began."""
    population = found.population
    who = tuple(condition for condition in found.group if condition.factor != TIME)
    mine = population.members(who, range(len(population.ends)))
    since = _since(found, mine)
    times = [ended.at for ended in population.ends]
    rows = [row for row in mine if since is None or times[row] >= since]
    # What hits everybody is held against the time before.
    every = [row for row in range(len(times)) if since is None or not who or times[row] >= since]
    failed = [row for row in rows if row in found.failing]
    if not failed:
        return None
    low, high = wilson(len(failed), len(rows))
    first = population.ends[failed[0]]
    return Finding(
        stage=first.stage,
        failure=first.failure,
        group=who,
        documents=len(rows),
        failed=len(failed),
        low=low,
        high=high,
        others=len(every) - len(rows),
        others_failed=sum(row in found.failing for row in every) - len(failed),
        since=since,
        common=_common(population, failed, who),
    )


def _since(found: Found, rows: Sequence[int]) -> float | None:
    """When it began: to the document where that can be told, else to the stretch in which the search saw it."""
    ends = sorted((found.population.ends[row].at, row in found.failing) for row in rows)
    moment = beginning(ends)
    if moment is not None:
        return moment
    seen = next((condition.over for condition in found.group if condition.factor == TIME), None)
    return None if seen is None else next((at for at, bad in ends if at > seen and bad), None)


def _common(population: Population, failed: Sequence[int], group: Group) -> Group:
    """Values that nearly all that failed have besides, and far fewer of the others."""
    named = {condition.factor for condition in group}
    lost, found = set(failed), list[Condition]()
    for axis in population.axes:
        if axis.factor.name in named or axis.factor.bounds:
            continue
        code, count = Counter(axis.codes[row] for row in failed).most_common(1)[0]
        condition = axis.conditions[code]
        if condition is None or count < NEARLY_ALL * len(failed):
            continue
        others = [value for row, value in enumerate(axis.codes) if row not in lost]
        if others.count(code) <= FEWER * len(others):
            found.append(condition)
    return tuple(found[:COMMON])
