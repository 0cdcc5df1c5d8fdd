"""How many tokens a text has, before anybody has counted them: an estimate that learns from what providers count.

    rough      counts pieces as tokenizers cut them, rather too many than too few
    Ratio      what a model's provider has counted for each rough token, and how much that varies
    estimate   rough tokens times a ratio that lies above nearly all that was seen

A tokenizer of each provider would be exact, but there is one a model, most are not published, and none is needed to
know that a text is far below a window. Nothing is billed by this number.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

PIECE = re.compile(r"[A-Za-z]{1,4}|[0-9]{1,2}|[^\sA-Za-z0-9]|\n")
"""What counts as one token: four letters of a word, two digits, any other sign, the end of a line."""

SMALLEST_LESSON = 100
"""Rough tokens below which nothing is learned: there the provider's own framing outweighs the text."""
LESSONS = 5
"""Answers after which the estimate may go below the rough count."""
MEMORY = 0.1
"""Weight of the newest answer."""
MARGINS = 3.0
"""How many mean deviations above the mean ratio the estimate lies."""
LOWEST, HIGHEST = 0.4, 4.0
"""Between these a window's bound is believed to lie; a provider that counts otherwise counts something else."""


# Of one text it is asked several times in a row: what its chains hold, whether it fits, what it taught.
@lru_cache(maxsize=32)
def rough(text: str) -> int:
    """An upper estimate of a text's tokens; a sign outside ASCII counts for about half of its bytes."""
    beyond = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return len(PIECE.findall(text)) + -(-beyond // 2)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Tokens that a provider counted for each rough token, over its last answers."""

    seen: int = 0
    """Answers it was learned from."""
    mean: float = 1.0
    """Weighted mean, the newest answer heaviest."""
    deviation: float = 0.0
    """Weighted mean distance from the mean."""

    @property
    def high(self) -> float:
        """What nearly no text lies above."""
        bound = self.mean + MARGINS * self.deviation + 0.02
        return min(max(bound if self.seen >= LESSONS else max(bound, 1.0), LOWEST), HIGHEST)

    def learned(self, roughly: int, counted: int) -> "Ratio":
        """The ratio after one more answer: of so many rough tokens the provider counted so many."""
        if roughly < SMALLEST_LESSON or counted <= 0:
            return self
        ratio = min(counted / roughly, HIGHEST)
        if not self.seen:
            return Ratio(1, ratio, abs(1.0 - ratio) / MARGINS)
        off = ratio - self.mean
        return Ratio(self.seen + 1, self.mean + MEMORY * off, self.deviation + MEMORY * (abs(off) - self.deviation))

    def refused(self, roughly: int, limit: int) -> "Ratio":
        """The ratio after the provider found too long for `limit` tokens what was thought to fit."""
        least = min(max(limit / max(roughly, 1), LOWEST), HIGHEST)
        return self if least <= self.high else Ratio(self.seen, least, self.deviation)


def estimate(ratio: Ratio, roughly: int) -> int:
    """Tokens that so many rough ones are at most, as far as one can know."""
    return int(roughly * ratio.high) + 1


def capacity(ratio: Ratio, tokens: int) -> int:
    """Rough tokens that surely fit into so many tokens."""
    return max(int((tokens - 1) / ratio.high), 0)
