"""The calls of this process that wait for one limit, and what is known of when they will fit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shared.core.limits import Granted, WindowPolicy
from shared.core.stride import Stride, Taken
from shared.limit_port import Reserved, Turn
from shared.state.quota import Quota

LOOK = 0.25
"""Longest time between two questions for a call that waits: somebody else's call may have used less than reserved."""
TOGETHER = 64
"""Calls that are asked for in one exchange."""


Aside = Callable[[Awaitable[Reserved]], Awaitable[Reserved]]
"""Waits for a call's turn."""


def here(turn: Awaitable[Reserved]) -> Awaitable[Reserved]:
    """Wait for it where the call stands."""
    return turn


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How calls wait for room in a process."""

    patience: float = 6.0
    """Seconds that a call may be expected to wait here; none is kept for more than twice as long."""
    most: int = 128
    """Calls that wait here, for all limits together: other documents must not be kept from their models by them."""
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Tenant to its part, over that of one who is not named."""
    aside: Aside = here
    """Waits for a call's turn, without the slot that its handler holds."""


@dataclass(eq=False, slots=True)
class Waiter:
    """A call that waits."""

    turn: Turn
    """The call."""
    tokens: int
    """What is to be reserved for it."""
    since: float
    """When it came, monotonic seconds."""
    answer: "asyncio.Future[Reserved]"
    """What it is told."""


class Line:
    """The line before one limit; `now` is in monotonic seconds."""

    def __init__(self, quota: Quota, policy: WindowPolicy, waits: WaitPolicy) -> None:
        self.quota = quota
        """The limit."""
        self._policy, self._waits = policy, waits
        self._waiting: Stride[Waiter] = Stride(waits.weights)
        self._full = False
        self._opens_at = 0.0
        self._ask_at = 0.0

    @property
    def due(self) -> float:
        """When it is worth asking; infinite where nobody waits."""
        return self._ask_at if len(self._waiting) else float("inf")

    @property
    def waiting(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    def refused(self, turn: Turn, now: float, held: float, *, crowded: bool = False) -> float | None:
        """Seconds after which the call should come again; None where it may wait here.

        `held`: by the provider; `crowded`: as many wait as may.
        """
        opens, behind, patience = max(held, 0.0), 0.0, self._waits.patience
        if self._full:
            opens = max(self._opens_at - now, opens)
            behind = self._waiting.ahead(turn.tenant) * self._spacing(self.quota.fits(turn.tokens))
        if opens + behind <= patience and not (self._full and crowded):
            return None
        # Half the patience early: it then waits here when there is room, and the limit does not lie idle. That others
        # wait before it is no reason to come later: how fast the line moves is a guess, and the first ones are bad.
        return max(opens - patience / 2, min(behind, patience) / 2, LOOK)

    def add(self, turn: Turn, now: float) -> Waiter:
        """A call waits."""
        tokens = self.quota.fits(turn.tokens)
        waiter = Waiter(turn, tokens, now, asyncio.get_running_loop().create_future())
        self._waiting.add(turn.tenant, turn.cost or float(tokens), waiter)
        if not self._full:
            self._ask_at = now
        return waiter

    def soon(self, at: float) -> None:
        """Something may have made room."""
        self._ask_at = min(self._ask_at, at)

    def asking(self, now: float) -> list[Taken[Waiter]]:
        """Take out those for which room is asked now; `answered` has to follow."""
        taken: list[Taken[Waiter]] = []
        while self._ask_at <= now and len(self._waiting) and len(taken) < TOGETHER:
            one = self._waiting.take()
            if not one.item.answer.done():
                taken.append(one)
        return taken

    def answered(self, taken: list[Taken[Waiter]], granted: Granted, now: float) -> None:
        """Some may be made, the others wait on."""
        for waiter in (one.item for one in taken[: granted.count]):
            reserved = Reserved(waiter.turn, waiter.tokens)
            if waiter.answer.done():  # it was given up meanwhile
                self.quota.ended(waiter.tokens, ())
            else:
                waiter.answer.set_result(reserved)
        for one in reversed(taken[granted.count :]):
            self._waiting.put_back(one)
        if taken:
            self._full = granted.count < len(taken)
            self._opens_at = now + granted.wait / 1000
            self._ask_at = min(self._opens_at, now + LOOK)
        self._refuse_late(now)

    def _spacing(self, tokens: int) -> float:
        """Seconds between two calls of this process, where all processes take the same part."""
        parts = [part / most for part, most in zip((1, tokens), self.quota.limit, strict=True) if most > 0]
        return max(parts, default=0.0) * self._policy.window / 1000 * max(self.quota.workers, 1)

    def _refuse_late(self, now: float) -> None:
        """Those that were expected to fit by now, and do not, make way for others that need something else."""
        for waiter in self._waiting.drop(lambda one: now - one.since > 2 * self._waits.patience):
            if not waiter.answer.done():
                waiter.answer.set_result(Reserved(waiter.turn, after=max(self._opens_at - now, LOOK)))
