"""All that reached one stage, counted by every combination of up to three factors.

Every value is a small number, and a combination of values one number made of them, so that counting a hundred thousand
documents by a hundred combinations is a matter of a second: Python adds and counts, and builds no tuples.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from operator import add
from typing import TypeAlias

from shared.core.atlas.ended import Ended
from shared.core.atlas.factors import FACTORS, Condition, Factor, bin_of, moments, ranges

BITS = 10
"""Bits of one value in a combination."""
VALUES = 400
"""Most values of one factor that are told apart, the commonest ones."""
DEPTH = 3
"""Most factors in one description: with more nobody reads it."""
LEAST = 30
"""Documents a value must have."""

Group: TypeAlias = tuple[Condition, ...]
"""Conditions that hold together."""
Tally: TypeAlias = dict[tuple[int, ...], dict[int, int]]
"""Combination of factors, by their places, to combination of values to how many have it."""


@dataclass(frozen=True)
class Axis:
    """One factor as numbers."""

    factor: Factor
    """Which."""
    codes: Sequence[int]
    """Each document's value, or bin; 0 where it is not known, or rare."""
    conditions: Sequence[Condition | None]
    """What a code of a condition stands for."""
    within: Sequence[tuple[int, ...]]
    """Value to the codes of the conditions that hold of it."""

    def values(self, condition: Condition) -> frozenset[int]:
        """The values, or bins, of which it holds; also of a range that has no code of its own."""
        if not self.factor.bounds:
            return frozenset({self.conditions.index(condition)})
        bounds = self.factor.bounds
        low = 0 if condition.over is None else bounds.index(condition.over) + 1
        high = len(bounds) + 1 if condition.upto is None else bounds.index(condition.upto) + 1
        return frozenset(range(low + 1, high + 1))

    @property
    def number(self) -> bool:
        """It is a number of something, and no time."""
        return bool(self.factor.bounds) and not self.factor.begins


class Population:
    """What reached one stage."""

    def __init__(self, ends: Sequence[Ended]) -> None:
        self.ends = ends
        """Each document."""
        axes = [_axis(factor, ends) for factor in (*FACTORS, moments([ended.at for ended in ends]))]
        # A factor with one value tells nobody from anybody.
        self.axes = [axis for axis in axes if len(set(axis.codes) - {0}) > 1]
        """The factors that differ."""
        self.combinations = [
            places
            for depth in range(1, DEPTH + 1)
            for places in combinations(range(len(self.axes)), depth)
            # Two numbers with a third factor multiply what is to be looked at, and say little that a person would.
            if depth < DEPTH or sum(self.axes[place].number for place in places) < 2
        ]
        """Combinations of factors that are counted."""

    @cached_property
    def tally(self) -> Tally:
        """All of it, counted once."""
        return self.counted(range(len(self.ends)))

    def counted(self, rows: Sequence[int], only: Iterable[tuple[int, ...]] | None = None) -> Tally:
        """How many of these documents have each combination of conditions."""
        whole = len(rows) == len(self.ends)
        columns = [axis.codes if whole else [axis.codes[row] for row in rows] for axis in self.axes]
        shifted = [
            [[code << BITS * up for code in column] if up else column for up in range(DEPTH)] for column in columns
        ]
        pairs: dict[tuple[int, int], list[int]] = {}
        found: Tally = {}
        for places in self.combinations if only is None else only:
            parts = [shifted[place][len(places) - 1 - up] for up, place in enumerate(places)]
            if len(parts) == DEPTH:
                pair = places[0], places[1]
                if pair not in pairs:
                    pairs[pair] = list(map(add, parts[0], parts[1]))
                cells = Counter(map(add, pairs[pair], parts[2]))
            elif len(parts) == 2:
                cells = Counter(map(add, *parts))
            else:
                cells = Counter(parts[0])
            found[places] = self._spread(cells, places)
        return found

    def group(self, places: tuple[int, ...], key: int) -> Group:
        """The conditions that a combination stands for."""
        found = []
        for up, place in enumerate(places):
            code = key >> BITS * (len(places) - 1 - up) & (1 << BITS) - 1
            condition = self.axes[place].conditions[code]
            if condition is not None:
                found.append(condition)
        return tuple(found)

    def key(self, group: Group) -> tuple[tuple[int, ...], int]:
        """The combination that stands for conditions that were found here."""
        named = {axis.factor.name: place for place, axis in enumerate(self.axes)}
        ordered = sorted((named[condition.factor], condition) for condition in group)
        key = 0
        for place, condition in ordered:
            key = (key << BITS) + self.axes[place].conditions.index(condition)
        return tuple(place for place, _ in ordered), key

    def members(self, group: Group, among: Iterable[int]) -> list[int]:
        """Those of whom all conditions hold."""
        rows = list(among)
        for condition in group:
            axis = next(axis for axis in self.axes if axis.factor.name == condition.factor)
            good = axis.values(condition)
            rows = [row for row in rows if axis.codes[row] in good]
        return rows

    def _spread(self, cells: Counter[int], places: tuple[int, ...]) -> dict[int, int]:
        """From values to the conditions that hold of them: a number lies in several ranges."""
        mask, depth = (1 << BITS) - 1, len(places)
        lists = [
            [tuple(code << BITS * (depth - 1 - up) for code in codes) for codes in self.axes[place].within]
            for up, place in enumerate(places)
        ]
        found: dict[int, int] = {}
        for cell, count in cells.items():
            keys: Sequence[int] = (0,)
            for up, expansions in enumerate(lists):
                more = expansions[cell >> BITS * (depth - 1 - up) & mask]
                keys = [key + code for key in keys for code in more]
            for key in keys:
                found[key] = found.get(key, 0) + count
        return found


def _axis(factor: Factor, ends: Sequence[Ended]) -> Axis:
    if factor.bounds:
        bounds, named = factor.bounds, ranges(factor)
        codes = [bin_of(getattr(ended, factor.name), bounds) for ended in ends]
        inside = [tuple(code for code, (_, bins) in enumerate(named, 1) if b in bins) for b in range(len(bounds) + 2)]
        return Axis(factor, codes, [None, *(condition for condition, _ in named)], inside)
    values = [getattr(ended, factor.name) for ended in ends]
    common = [value for value, count in Counter(values).most_common(VALUES) if value and count >= LEAST]
    code_of = {value: code for code, value in enumerate(common, 1)}
    conditions = [Condition(factor.name, value) for value in common]
    within = [(), *((code,) for code in range(1, len(common) + 1))]
    return Axis(factor, [code_of.get(value, 0) for value in values], [None, *conditions], within)
