"""How many tokens a call will use, learned from those that were made: a limit is reserved before anybody knows.

The question is counted in characters, and what a token is worth differs by model and by language: the ratio follows
what the provider says. The answer is guessed at a high quantile of the last ones for the same task: a guess at the mean
is too low every second time, and a guess at the most that a model can say would leave most of a limit unused.
"""

from collections import deque
from dataclasses import dataclass, field

FIRST_RATIO = 0.25
"""Tokens of a character before anything is known."""
FIRST_ANSWER = 1000
"""Tokens of an answer before anything is known."""
REMEMBERED = 100
"""Answers of a task that are remembered."""
QUANTILE = 0.9
"""Share of the answers that a guess should cover."""
MARGIN = 0.05
"""What is added to the estimate of a question, as a part of it."""
WEIGHT = 0.1
"""How much one call changes the ratio."""


@dataclass(slots=True)
class Estimates:
    """What was learned of one model, in one process."""

    ratio: float = FIRST_RATIO
    """Tokens of a character."""
    answers: dict[str, deque[int]] = field(default_factory=dict)
    """Task to the lengths of its last answers."""
    seconds: float = 0.0
    """How long a call takes; 0 before one has ended."""

    def question(self, characters: int) -> int:
        """Tokens of a question."""
        return round(characters * self.ratio * (1 + MARGIN)) + 1

    def answer(self, task: str, most: int) -> int:
        """Tokens of an answer; `most` is where the model stops."""
        known = sorted(self.answers.get(task, ()))
        if not known:
            return min(FIRST_ANSWER, most)
        return min(known[min(int(len(known) * QUANTILE), len(known) - 1)], most)

    def took(self, seconds: float) -> None:
        """A call has taken so long."""
        self.seconds += (seconds - self.seconds) * (WEIGHT if self.seconds else 1.0)

    def learn(self, characters: int, task: str, input_tokens: int, output_tokens: int) -> None:
        """A call has ended; 0 where the provider did not count."""
        if input_tokens > 0 and characters > 0:
            seen = input_tokens / characters
            # At the first call all is learned at once: any figure of the provider's is better than ours.
            known = bool(self.answers)
            self.ratio += (seen - self.ratio) * (WEIGHT if known else 1.0)
        if output_tokens > 0:
            self.answers.setdefault(task, deque(maxlen=REMEMBERED)).append(output_tokens)
