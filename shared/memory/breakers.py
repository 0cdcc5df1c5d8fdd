"""Breakers in memory: the same arithmetic with nobody to share it with."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from shared.core import breaker as rules
from shared.core import ramp
from shared.core.breaker import Breaker, BreakerEvent, BreakerPolicy, Phase, Verdict
from shared.core.failures import Failure
from shared.core.ramp import Passed
from shared.core.streak import Streaks
from shared.core.tally import Tally
from shared.ports import BreakerReport, Permit


class MemoryBreakers:
    """`Breakers` of one process, or of the members made with `another`."""

    def __init__(
        self, policy: BreakerPolicy | None = None, who: str = "memory", clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives seconds since 1970."""
        self.who = who
        self._policy = policy or BreakerPolicy()
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        self._passed: dict[str, Passed] = {}
        self._streaks = Streaks()
        self._events: list[BreakerEvent] = []

    def another(self, who: str) -> "MemoryBreakers":
        """Another member of the same registry."""
        member = MemoryBreakers(self._policy, who, self._clock)
        member._breakers, member._events = self._breakers, self._events
        return member

    async def ask(self, name: str) -> Permit:
        """May a call be made?"""
        breaker = self._breakers.get(name)
        if breaker is None:
            return self._let_through(name)
        now = self._now()
        breaker, verdict = rules.ask(self._policy, breaker, now, self.who)
        self._keep(name, breaker)
        if verdict is Verdict.WAIT:
            return Permit(allowed=False, after=rules.wait(breaker, now))
        self._passed[name], passes = ramp.passes(breaker, now, self._passed.get(name, Passed()))
        if not passes:
            return Permit(allowed=False, after=ramp.next_step(breaker, now))
        return self._let_through(name, probe=verdict is Verdict.PROBE)

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        """A call ended."""
        tally = self._streaks.counted(Tally(), name, failure, number, self._since(name))
        self._keep(name, rules.record(self._policy, self._state(name), self._now(), self.who, tally))

    def leave(self, name: str, number: int) -> None:
        """The permit's call is over, or was not made after all."""
        self._streaks.leave(name, number)

    async def opens(self, name: str, seconds: float) -> bool:
        """Whether it is open: here nobody else's failures can open it later."""
        return self._state(name).phase is not Phase.CLOSED

    async def reports(self) -> Sequence[BreakerReport]:
        """Every known breaker, by name."""
        now = self._now()
        return [BreakerReport.of(name, one, self._policy, now) for name, one in sorted(self._breakers.items())]

    async def events(self, limit: int = 100) -> Sequence[BreakerEvent]:
        """The newest changes of all breakers, newest first."""
        return self._events[-1 : -limit - 1 : -1]

    async def trip(self, name: str, reason: str) -> None:
        """Open it by hand."""
        self._keep(name, rules.trip(self._state(name), self._now(), self.who, reason))

    async def reset(self, name: str) -> None:
        """Close it by hand."""
        self._keep(name, rules.reset(self._state(name), self._now(), self.who))

    def _let_through(self, name: str, *, probe: bool = False) -> Permit:
        return Permit(allowed=True, probe=probe, number=self._streaks.begin(name, self._since(name)))

    def _since(self, name: str) -> int:
        breaker = self._breakers.get(name)
        return breaker.since if breaker else 0

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _state(self, name: str) -> Breaker:
        return self._breakers.get(name) or rules.closed(self._now())

    def _keep(self, name: str, breaker: Breaker) -> None:
        before = self._breakers.get(name)
        self._breakers[name] = breaker
        phase, tripped = (before.phase, before.tripped) if before else (Phase.CLOSED, False)
        if (phase, tripped) != (breaker.phase, breaker.tripped):
            at = datetime.fromtimestamp(self._now() / 1000, UTC)
            self._events.append(BreakerEvent(name, breaker.phase.value, breaker.reason, at))
