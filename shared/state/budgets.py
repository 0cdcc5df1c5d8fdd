"""What was spent of each budget, in Redis for all processes; its truth is a sum over the ledger's calls.

    reserve   all budgets known to Redis?  -> one script takes the estimate from each, or says which would be exceeded
              one unknown                  -> its sum is asked of the ledger and kept for some minutes
    settle    the estimate is replaced by what the call cost

A figure is believed for some minutes only, and then read anew: so a process that died between both, or a sum that was
read while a call ended, is mended by itself. While Redis is away a process goes by the sums it asks for itself.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from types import TracebackType

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.core.budgets import Budget, BudgetPolicy, budgets_of
from shared.core.errors import PenstockError
from shared.core.ledger import Scope
from shared.limit_port import Spending
from shared.state.registry import AWAY, PATIENCE, address, in_time

SPENT = "penstock:spent:"
"""Beginning of every key."""
SPENT_SCRIPT = files("shared.state").joinpath("budget.lua").read_text("utf-8")
"""How spending is counted, as Redis does it."""
KEPT_SECONDS = 300
"""How long a figure is believed before the ledger is asked again."""
MOST = 10_000
"""Budgets that a process remembers for itself."""

Sums = Callable[[Budget], Awaitable[float]]
"""What the ledger says was spent. Raises Unavailable."""


class RedisBudgets:
    """`Budgets` of one process: `async with RedisBudgets(url, policy, sums) as budgets`."""

    def __init__(self, url: str, policy: BudgetPolicy, sums: Sums, prefix: str = SPENT) -> None:
        self._address = address(url)
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._script = self._redis.register_script(SPENT_SCRIPT)
        self._policy, self._sums, self._prefix = policy, sums, prefix
        self._own: dict[str, tuple[float, float]] = {}
        self._flying: Counter[str] = Counter()
        self._trouble = ""
        self._blind = ""

    async def __aenter__(self) -> "RedisBudgets":
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._redis.aclose()

    @property
    def health(self) -> str:
        """What is weaker at the moment, in one sentence; empty while all is well."""
        if self._blind:
            return f"what was spent before is not known, and not counted: {self._blind}"
        if self._trouble:
            return (
                f"budgets at {self._address} are away ({self._trouble}): each process counts what it spends itself, on"
                " top of what the ledger said"
            )
        return ""

    async def reserve(self, scope: Scope, cost: float) -> Spending:
        """See `Budgets.reserve`."""
        budgets = budgets_of(self._policy, scope, datetime.now(UTC))
        if not budgets:
            return Spending({})
        told: dict[str, float] = {}
        try:
            # Each round learns of one budget that was not known; one more is for a figure that expires meanwhile.
            for _ in range(len(budgets) + 2):
                word, number = await self._run(budgets, cost, told)
                if word != b"missing":
                    break
                missing = budgets[number - 1]
                told[missing.key] = await self._sum(missing)
            self._trouble = ""
        except AWAY as error:
            self._trouble = str(error) or type(error).__name__
            return await self._alone(budgets, cost)
        if word == b"exceeded":
            return self._refused(budgets[number - 1])
        return self._taken(budgets, cost)

    def _taken(self, budgets: Sequence[Budget], cost: float) -> Spending:
        self._flying.update(one.key for one in budgets)
        return Spending({one.key: cost for one in budgets})

    def _refused(self, budget: Budget) -> Spending:
        """Of what other processes have in flight this one knows nothing: then the next look is as good."""
        return Spending({}, budget, soon=budget.key in self._flying)

    async def settle(self, spending: Spending, cost: float) -> None:
        """See `Budgets.settle`."""
        self._flying -= Counter(spending.reserved.keys())
        for key, reserved in spending.reserved.items():
            try:
                if self._own and key in self._own:
                    self._own[key] = (self._own[key][0], self._own[key][1] + cost - reserved)
                if cost != reserved:
                    await in_time(self._script(keys=[self._prefix + key], args=[cost - reserved, KEPT_SECONDS, "", ""]))
            except AWAY as error:
                # The figure expires, and the ledger knows better by then.
                self._trouble = str(error) or type(error).__name__

    async def _run(self, budgets: Sequence[Budget], cost: float, told: Mapping[str, float]) -> tuple[bytes, int]:
        caps = [text for one in budgets for text in (repr(one.cap), repr(told[one.key]) if one.key in told else "")]
        keys = [self._prefix + one.key for one in budgets]
        word, number = await in_time(self._script(keys=keys, args=[repr(cost), KEPT_SECONDS, *caps]))
        return word, int(number)

    async def _sum(self, budget: Budget) -> float:
        """The ledger's word. Where it is away too, work goes on, and health says that nobody counts."""
        try:
            spent = await self._sums(budget)
            self._blind = ""
        except PenstockError as error:
            self._blind = str(error)
            return 0.0
        return spent

    async def _alone(self, budgets: Sequence[Budget], cost: float) -> Spending:
        """Redis is away: what the ledger said some minutes ago at most, and what this process has spent since."""
        now = time.monotonic()
        for one in budgets:
            if one.key not in self._own or now - self._own[one.key][0] > KEPT_SECONDS:
                self._own[one.key] = (now, await self._sum(one))
                self._own = dict(list(self._own.items())[-MOST:])
        for one in budgets:
            if self._own[one.key][1] + cost > one.cap:
                return self._refused(one)
        for one in budgets:
            since, spent = self._own[one.key]
            self._own[one.key] = (since, spent + cost)
        return self._taken(budgets, cost)
