"""How many tokens a call will use, learned from those that were made: a limit is reserved before anybody knows.

The question is counted roughly (`shared.core.tokens`), and taken at the mean of what the provider has counted for a
rough token: the bound that `tokens` keeps windows by would leave a part of every limit unused. The answer is guessed at
a high quantile of the last ones for the same task: a guess at the mean is too low every second time, and a guess at the
most that a model can say would leave most of a limit unused.
"""

from collections import deque
from dataclasses import dataclass, field

from shared.core.tokens import Ratio

FIRST_ANSWER = 1000
"""Tokens of an answer before anything is known."""
REMEMBERED = 100
"""Answers of a task that are remembered."""
QUANTILE = 0.9
"""Share of the answers that a guess should cover."""
MARGIN = 0.05
"""What is added to the estimate of a question, as a part of it."""
WEIGHT = 0.1
"""How much one call changes what is known of how long one takes."""


@dataclass(slots=True)
class Estimates:
    """What was learned of one model, in one process."""

    ratio: Ratio = field(default_factory=Ratio)
    """What its provider counts for a rough token."""
    answers: dict[str, deque[int]] = field(default_factory=dict)
    """Task to the lengths of its last answers."""
    seconds: float = 0.0
    """How long a call takes; 0 before one has ended."""

    def question(self, roughly: int) -> int:
        """Tokens of a question of so many rough ones."""
        return round(roughly * self.ratio.mean * (1 + MARGIN)) + 1

    def answer(self, task: str, most: int) -> int:
        """Tokens of an answer; `most` is where the model stops."""
        known = sorted(self.answers.get(task, ()))
        if not known:
            return min(FIRST_ANSWER, most)
        return min(known[min(int(len(known) * QUANTILE), len(known) - 1)], most)

    def took(self, seconds: float) -> None:
        """A call has taken so long."""
        self.seconds += (seconds - self.seconds) * (WEIGHT if self.seconds else 1.0)

    def learn(self, roughly: int, task: str, input_tokens: int, output_tokens: int) -> None:
        """A call has ended; 0 where the provider did not count."""
        self.ratio = self.ratio.learned(roughly, input_tokens)
        if output_tokens > 0:
            self.answers.setdefault(task, deque(maxlen=REMEMBERED)).append(output_tokens)
