"""Limits on command: so many requests and tokens in any sliding window, as the strictest provider would count them.

A request counts when it arrives, with the tokens of its question; an answer counts when it is complete, for nobody
knows its length before. What is refused counts for nothing.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Limit(BaseModel):
    """A limit, as it is posted to /limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    """Model id."""
    requests: int = Field(gt=0)
    """Requests in a window."""
    tokens: int = Field(gt=0)
    """Tokens in a window."""
    seconds: float = Field(default=60.0, gt=0)
    """Length of a window."""


@dataclass(slots=True)
class Account:
    """What one model's limit has seen; times in seconds of a steady clock."""

    limit: Limit
    """The limit."""
    refused: int = 0
    """Requests that were refused."""
    history: list[tuple[float, int, int]] = field(default_factory=list)
    """Everything that counted: when, requests, tokens."""
    window: deque[tuple[float, int, int]] = field(default_factory=deque)
    """What of it counts now."""
    requests: int = 0
    """Requests in the window."""
    tokens: int = 0
    """Tokens in the window."""

    def admit(self, tokens: int, now: float) -> float | None:
        """Take a request with a question of so many tokens, or say after how many seconds there is room for it."""
        self._pass(now)
        over = self.requests + 1 > self.limit.requests, self.tokens + tokens > self.limit.tokens
        if any(over):
            self.refused += 1
            return self._room(tokens, now)
        self._count(now, 1, tokens)
        return None

    def answer(self, tokens: int, now: float) -> None:
        """An answer of so many tokens is complete."""
        self._pass(now)
        self._count(now, 0, tokens)

    def headers(self, now: float) -> dict[str, str]:
        """What a provider says of it in every response."""
        self._pass(now)
        reset = f"{max(self.window[-1][0] + self.limit.seconds - now, 0) if self.window else 0:.3f}s"
        counts = {"requests": (self.limit.requests, self.requests), "tokens": (self.limit.tokens, self.tokens)}
        said: dict[str, str] = {}
        for kind, (limit, used) in counts.items():
            said[f"x-ratelimit-limit-{kind}"] = str(limit)
            said[f"x-ratelimit-remaining-{kind}"] = str(max(limit - used, 0))
            said[f"x-ratelimit-reset-{kind}"] = reset
        return said

    def _count(self, now: float, requests: int, tokens: int) -> None:
        self.window.append((now, requests, tokens))
        self.history.append((now, requests, tokens))
        self.requests += requests
        self.tokens += tokens

    def _pass(self, now: float) -> None:
        while self.window and self.window[0][0] <= now - self.limit.seconds:
            _, requests, tokens = self.window.popleft()
            self.requests -= requests
            self.tokens -= tokens

    def _room(self, tokens: int, now: float) -> float:
        requests, used = self.requests, self.tokens
        for at, one, some in self.window:
            requests, used = requests - one, used - some
            if requests < self.limit.requests and used + tokens <= self.limit.tokens:
                return max(at + self.limit.seconds - now, 0.0)
        return self.limit.seconds


class Accounts:
    """The limits in force, by model."""

    def __init__(self) -> None:
        self.by_model: dict[str, Account] = {}

    def add(self, limit: Limit) -> None:
        """Put a limit in force; another one of the model ends, with all that it has seen."""
        self.by_model[limit.model] = Account(limit)

    def clear(self) -> None:
        """Take every limit back."""
        self.by_model.clear()

    def of(self, model: str) -> Account | None:
        """The model's, where it has one."""
        return self.by_model.get(model)

    def report(self) -> Mapping[str, Any]:
        """All of it, as JSON."""
        return {
            model: {"refused": account.refused, "history": account.history} for model, account in self.by_model.items()
        }
