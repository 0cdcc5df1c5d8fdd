"""The circuit breakers that all processes share, over Redis; local where it is away."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from shared.core.breaker import BreakerEvent, BreakerPolicy, Verdict
from shared.core.failures import Failure
from shared.ports import BreakerReport, BreakerState, Permit
from shared.state.copies import Copies
from shared.state.registry import AWAY, PREFIX, Registry
from shared.state.wire import Command

FLUSH = 0.05
"""Seconds between two reports of outcomes."""
COMPARE = 0.5
"""Seconds between two comparisons of all copies: finds changes whose message was lost, and a registry that hangs."""
REJOIN = 0.2
"""Seconds between two tries to reach a registry that is away."""
TRYING = 0.2
"""Seconds told to a caller while another one asks for the probe's lease."""


class RedisBreakers:
    """The registry's member in this process: `async with RedisBreakers(url, policy, who) as breakers`.

    A call is answered from the local copy. Redis is asked only for the lease of a probe, at most half a second long.
    While Redis is away each process goes on with its own copy, so there can be one probe in each; `healthy` tells.
    """

    def __init__(self, url: str, policy: BreakerPolicy, who: str, prefix: str = PREFIX) -> None:
        # Two processes of one name must not pass for each other as holder of a probe.
        self.who = f"{who}#{secrets.token_hex(3)}"
        self._copies = Copies(policy, self.who)
        self._registry = Registry(url, policy, self.who, prefix)
        self._policy = policy
        self._trouble = "not asked yet"
        self._compare_at = 0.0
        self._leasing: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "RedisBreakers":
        await self._exchange()
        self._tasks = [asyncio.create_task(self._flush()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        async with self._registry:
            await self._stop()
            if self._copies.untold and not self._trouble:
                await self._exchange()

    @property
    def healthy(self) -> bool:
        """Whether this process and the registry agree."""
        return not self._trouble and not any(task.done() for task in self._tasks)

    @property
    def health(self) -> str:
        """What is weaker while the registry is away, in one sentence; empty while all is well."""
        if self.healthy:
            return ""
        why = self._trouble or "its task ended: restart this process"
        return (
            f"breaker registry at {self._registry.address} is away ({why}): each process goes on with its own, "
            "trips and resets do not reach it, and each may send a probe"
        )

    @property
    def states(self) -> Mapping[str, BreakerState]:
        """The state of each breaker as the local copy has it, for metrics: no I/O."""
        return {name: BreakerState(breaker.phase) for name, breaker in self._copies.known.items()}

    async def ask(self, name: str) -> Permit:
        """May a call be made?"""
        verdict = self._copies.ask(name)
        if verdict is Verdict.PROBE:
            if name in self._leasing:
                return Permit(allowed=False, after=TRYING)
            verdict = await self._lease(name)
        if verdict is Verdict.WAIT:
            return Permit(allowed=False, after=self._copies.wait(name))
        return Permit(allowed=True, probe=verdict is Verdict.PROBE, number=self._copies.begin(name))

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        """A call ended."""
        self._copies.note(name, failure, number)
        if not self.healthy:
            self._copies.count_alone()

    def leave(self, name: str, number: int) -> None:
        """The permit's call is over, or was not made after all."""
        self._copies.leave(name, number)

    async def opens(self, name: str, seconds: float) -> bool:
        """Whether it is open, or opens within that time; from the local copy, which hears of it within moments."""
        deadline = time.monotonic() + seconds
        while self._copies.closed(name):
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(FLUSH / 2)
        return True

    async def reports(self) -> Sequence[BreakerReport]:
        """Every known breaker, by name; from the local copies while the registry is away."""
        await self._exchange()
        now = self._copies.now
        return [BreakerReport.of(name, one, self._policy, now) for name, one in sorted(self._copies.known.items())]

    async def events(self, limit: int = 100) -> Sequence[BreakerEvent]:
        """The newest changes of all breakers, newest first. Raises Unavailable."""
        return await self._registry.events(limit)

    async def trip(self, name: str, reason: str) -> None:
        """Open it by hand, everywhere. Raises Unavailable: an operator's word that reached nobody is no success."""
        await self._act(replace(self._copies.command(name), act="trip", reason=reason))

    async def reset(self, name: str) -> None:
        """Close it by hand, everywhere. Raises Unavailable."""
        await self._act(replace(self._copies.command(name), act="reset"))

    async def _act(self, command: Command) -> None:
        try:
            self._copies.take([command], *await self._registry.tell([command]))
        except AWAY as error:
            raise self._registry.unavailable(error) from error

    async def _lease(self, name: str) -> Verdict:
        if not self.healthy:
            return self._copies.ask_alone(name)
        self._leasing.add(name)
        command = replace(self._copies.command(name), probe=True)
        try:
            now, answers = await self._registry.tell([command])
            self._copies.take([command], now, answers)
        except AWAY as error:
            self._trouble = _said(error)
            return self._copies.ask_alone(name)
        finally:
            self._leasing.discard(name)
        return answers[0].verdict or Verdict.WAIT

    async def _exchange(self) -> None:
        """Tell what is untold, and compare all copies when that is due."""
        everything = not self.healthy or time.monotonic() >= self._compare_at
        commands = self._copies.report(everything)
        try:
            now, answers = await self._registry.tell(commands, everything)
        except AWAY as error:
            self._trouble = _said(error)
            self._copies.count_alone(commands)
            return
        self._copies.take(commands, now, answers)
        self._trouble = ""
        if everything:
            self._compare_at = time.monotonic() + COMPARE

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH if self.healthy else REJOIN)
            if self._copies.untold or not self.healthy or time.monotonic() >= self._compare_at:
                await self._exchange()

    async def _stop(self) -> None:
        # Once is not enough: on Python 3.11 redis-py can swallow a cancellation (see the registry's `in_time`).
        while running := [task for task in self._tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=0.1)
        for task in self._tasks:
            if not task.cancelled():
                task.result()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._registry.changes() as changes:
                    self._compare_at = 0.0  # a message between the last answer and the subscription reached nobody
                    async for change in changes:
                        self._copies.hear(change)
            except AWAY:
                await asyncio.sleep(REJOIN)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
