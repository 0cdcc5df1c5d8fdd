"""The limits that all processes share, over Redis; a part of each where it is away.

    reserve   room as far as is known, or soon  -> the call waits in this process, in its tenant's turn
              later                             -> refused, with the time at which it is worth asking again
    exchange  every few milliseconds while calls wait or have ended: one script for what all of them used and want

A call waits here for a few seconds at most, without its slot. Were it sent to wait elsewhere at once, a limit would lie
idle between the moment in which there is room and the moment in which somebody looks.
"""

import asyncio
import contextlib
import secrets
import time
from types import TracebackType

from shared.core.limits import Granted, Slot, WindowPolicy
from shared.limit_port import LimitReport, Reserved, Turn, Used
from shared.state.limit_registry import LIMITS, LimitRegistry
from shared.state.line import Line, WaitPolicy
from shared.state.quota import Quota
from shared.state.registry import AWAY

FLUSH = 0.02
"""Seconds between two exchanges while there is something to say."""
BEAT = 0.5
"""Seconds between two exchanges while there is nothing: who says nothing is no worker, and hears of no hold."""
REJOIN = 0.5
"""Seconds between two tries to reach a registry that is away."""
TRAVEL = 250
"""Milliseconds in which a request reaches the provider, at most."""


class RedisLimits:
    """The registry's member in this process: `async with RedisLimits(url, policy, who) as limits`."""

    def __init__(
        self, url: str, policy: WindowPolicy, who: str, waits: WaitPolicy | None = None, prefix: str = LIMITS
    ) -> None:
        # Two processes of one name must not pass for each other.
        self._registry = LimitRegistry(url, policy, f"{who}#{secrets.token_hex(3)}", prefix)
        self._policy, self._waits = policy, waits or WaitPolicy()
        self._lines: dict[str, Line] = {}
        self._wake = asyncio.Event()
        self._trouble = ""
        self._told_at = self._rejoin_at = 0.0
        # Until the registry has answered once, this machine's clock stands in for its clock.
        self._ahead = time.time() - time.monotonic()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "RedisLimits":
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        # Once is not enough: on Python 3.11 redis-py can swallow a cancellation (see the registry's `in_time`).
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)
        if not self._trouble and any(line.quota.news for line in self._lines.values()):
            await self._exchange()
        await self._registry.close()

    @property
    def healthy(self) -> bool:
        """Whether this process and the registry speak to each other."""
        return not self._trouble and self._task is not None and not self._task.done()

    @property
    def health(self) -> str:
        """What is weaker while the registry is away, in one sentence; empty while all is well."""
        if self.healthy:
            return ""
        why = self._trouble or "its task ended: restart this process"
        return (
            f"limit registry at {self._registry.address} is away ({why}):"
            f" each process keeps to its part of each limit, as of {max(self.workers, 1)} known workers, and does not"
            " hear of a Retry-After that others were told"
        )

    @property
    def workers(self) -> int:
        """How many processes shared a limit with this one when the registry last answered."""
        return max((line.quota.workers for line in self._lines.values()), default=0)

    def reports(self) -> list[LimitReport]:
        """How each limit stands that has been asked for here."""
        return [line.quota.report(self._policy, self._now(), line.waiting) for line in self._lines.values()]

    async def reserve(self, turn: Turn) -> Reserved:
        """See `Limits.reserve`."""
        line = self._line(turn)
        held = (line.quota.own.hold - self._now()) / 1000
        if (line.quota.unlimited and held <= 0) or self._task is None or self._task.done():
            # Where the task has ended nobody would ever answer; health says it, and the provider still refuses.
            return Reserved(turn)
        now = time.monotonic()
        crowded = sum(each.waiting for each in self._lines.values()) >= self._waits.most
        if (after := line.refused(turn, now, held, crowded=crowded)) is not None:
            return Reserved(turn, after=after)
        waiter = line.add(turn, now)
        self._wake.set()
        try:
            return await self._waits.aside(waiter.answer)
        except asyncio.CancelledError:
            if waiter.answer.done() and not waiter.answer.cancelled():
                self.settle(waiter.answer.result(), None)
            raise

    def settle(self, reserved: Reserved, used: Used | None) -> None:
        """See `Limits.settle`."""
        line = self._line(reserved.turn)
        if reserved.after is None and not line.quota.unlimited:
            line.quota.ended(reserved.tokens, self._notes(used) if used else ())
            line.soon(time.monotonic() + FLUSH)
            self._wake.set()

    def hold(self, turn: Turn, seconds: float) -> None:
        """See `Limits.hold`."""
        self._line(turn).quota.held(self._now() + round(seconds * 1000))
        self._wake.set()

    def _line(self, turn: Turn) -> Line:
        line = self._lines.get(turn.limit)
        if line is None:
            # In a window of other than a minute, its part of the limit; never none where there is one.
            most = [per_minute and max(per_minute * self._policy.window // 60_000, 1) for per_minute in turn.most]
            line = self._lines[turn.limit] = Line(Quota(turn.limit, (most[0], most[1])), self._policy, self._waits)
        return line

    def _now(self) -> int:
        """The registry's time in milliseconds, as well as it can be told from here."""
        return int((time.monotonic() + self._ahead) * 1000)

    def _notes(self, used: Used) -> tuple[Slot, ...]:
        """What the provider counted: the question no later than it must have arrived there, the answer just now."""
        now = self._now()
        arrived = now - used.milliseconds + min(used.milliseconds, TRAVEL)
        return (self._policy.slot(arrived), 1, used.input_tokens), (self._policy.slot(now), 0, used.output_tokens)

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            pause = self._due() - time.monotonic()
            if pause > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
            elif self._trouble and time.monotonic() < self._rejoin_at:
                self._alone()
            else:
                await self._exchange()

    def _due(self) -> float:
        """When there is something to ask or to tell, monotonic seconds."""
        quotas = [line.quota for line in self._lines.values()]
        news = FLUSH if any(quota.news for quota in quotas) and not self._trouble else BEAT
        # Asked no more often than that: what else comes up meanwhile goes the same way.
        asks = max(min((line.due for line in self._lines.values()), default=float("inf")), self._told_at + FLUSH)
        return min(self._told_at + news, asks)

    def _alone(self) -> None:
        """Nobody answers: decide here."""
        now = self._told_at = time.monotonic()
        for line in self._lines.values():
            taken = line.asking(now)
            line.answered(taken, line.quota.alone(self._policy, self._now(), [one.item.tokens for one in taken]), now)

    async def _exchange(self) -> None:
        """Tell what was used, ask for those that wait."""
        began = time.monotonic()
        asked = [(line, line.asking(began)) for line in self._lines.values()]
        wanted = [
            line.quota.wanted(self._policy, self._now(), [one.item.tokens for one in taken]) for line, taken in asked
        ]
        try:
            now, told = await self._registry.tell(wanted) if wanted else (self._now(), [])
        except AWAY as error:
            self._trouble, self._rejoin_at = str(error) or type(error).__name__, time.monotonic() + REJOIN
            for line, taken in asked:
                line.answered(taken, Granted(0), began)
            return
        self._trouble, self._told_at = "", time.monotonic()
        # By up to one way of the message ahead of the registry's clock, which is the careful side.
        self._ahead = now / 1000 - began
        for (line, taken), one, answer in zip(asked, wanted, told, strict=True):
            line.answered(taken, line.quota.take(one, answer, now), time.monotonic())
