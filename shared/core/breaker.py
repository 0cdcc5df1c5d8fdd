"""The arithmetic of a circuit breaker: what it does at a call, at an outcome and at an operator's word.

    closed     --failures in a row, or too large a share of the window-->  open
    closed     --hardly an answer in the window was of any use-->          open
    open       --recovery time over, somebody asks-->                      half-open, one probe leased to who asked
    half-open  --the probe fails-->                                        open
    half-open  --any call succeeds-->                                      closed, and full again after a ramp
    any        --an operator trips it-->                                   open, until an operator resets it

Everything is a function of values. Times are whole milliseconds, so that the registry's script (`shared/state`), which
follows the same rules on the server's clock, gives the same numbers to the last digit.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.core.tally import Tally

SLOTS = 10
"""Parts of the rolling window; a part leaves it as a whole."""
ASK_AGAIN = 2.0
"""Longest wait in seconds that a refused caller is told: an operator's reset must not go unnoticed for minutes."""

PAUSES = "stage:"
"""Beginning of the names under which the registry keeps what was paused: tripped is paused. No call asks for these."""


class Phase(StrEnum):
    """The three states of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Verdict(StrEnum):
    """What a call that wants to be made is told."""

    GO = "go"
    PROBE = "probe"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and how it finds out that the dependency is back."""

    threshold: int = 5
    """Failures in a row that open it."""
    recovery: float = 120.0
    """Seconds it stays open before one probe is let through."""
    window: float = 60.0
    """Seconds that the rolling window covers."""
    minimum_calls: int = 20
    """Calls in the window below which their share of failures says nothing."""
    share: float = 0.5
    """Share of failed calls in the window that opens it: catches what fails every other time, never in a row."""
    minimum_answers: int = 30
    """Answers in the window below which their use says nothing: a bad batch is no storm of refusals."""
    useless_share: float = 0.9
    """Share of answers of no use that opens it."""
    ramp: float = 8.0
    """Seconds from a recovery until all calls are let through; what is let through before doubles every second."""
    lease: float = 60.0
    """Seconds after which a probe that nobody heard of again may be taken over by another."""

    @property
    def slot(self) -> int:
        """Milliseconds of one part of the window."""
        return max(1, int(self.window * 1000) // SLOTS)


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one breaker."""

    since: int
    """When it entered its phase."""
    version: int
    """When it last changed in a way others must hear of; grows strictly, so that the newest word is known."""
    phase: Phase = Phase.CLOSED
    """Closed, open or half-open."""
    until: int = 0
    """Open: when a probe is due. Half-open: when the probe's lease ends. Closed: when the ramp ends, 0 without one."""
    holder: str = ""
    """Who holds the probe's lease."""
    tripped: bool = False
    """An operator opened it; only an operator closes it."""
    run: int = 0
    """Failures in a row up to now, while closed."""
    slots: tuple[tuple[int, int, int, int], ...] = ()
    """The window: (number of the part, answers, failures, answers of no use), oldest first."""
    useless: bool = False
    """It opened because answers were of no use: another such answer does not close it."""
    reason: str = ""
    """Why it is in its phase, in one sentence."""


@dataclass(frozen=True, slots=True)
class BreakerEvent:
    """A change of one breaker, for people."""

    name: str
    """The breaker."""
    state: str
    """Its state from then on."""
    reason: str
    """Why, in one sentence."""
    at: datetime
    """When, UTC."""


def pause_of(pipeline: str, stage: str) -> str:
    """What the registry calls the pause of a stage."""
    return f"{PAUSES}{pipeline}.{stage}"


def closed(now: int, reason: str = "", version: int = 0, ramp: float = 0.0) -> Breaker:
    """A breaker that has seen nothing; `version` is that of the state it takes the place of."""
    until = now + int(ramp * 1000) if ramp else 0
    return Breaker(since=now, version=max(now, version + 1), until=until, reason=reason)


def ask(policy: BreakerPolicy, breaker: Breaker, now: int, who: str) -> tuple[Breaker, Verdict]:
    """May `who` make a call now? A probe is leased by changing the state: whoever keeps states keeps the new one."""
    if breaker.phase is Phase.CLOSED:
        return breaker, Verdict.GO
    if breaker.tripped or now < breaker.until:
        return breaker, Verdict.WAIT
    leased = replace(
        breaker,
        phase=Phase.HALF_OPEN,
        since=now if breaker.phase is Phase.OPEN else breaker.since,
        version=max(now, breaker.version + 1),
        until=now + int(policy.lease * 1000),
        holder=who,
        reason=f"{who} tries whether it is back",
    )
    return leased, Verdict.PROBE


def record(policy: BreakerPolicy, breaker: Breaker, now: int, who: str, tally: Tally) -> Breaker:
    """Calls of `who` ended. While open nothing counts: those calls began before it opened."""
    if not tally or breaker.phase is Phase.OPEN:
        return breaker
    if breaker.phase is Phase.CLOSED:
        return _count(policy, breaker, now, tally)
    # Only the probe's failure opens it again, but anybody's success closes it: were the lease asked for here too, a
    # dependency whose calls take longer than a lease would stay half-open for ever.
    if tally.failed and breaker.holder == who:
        return _opened(policy, breaker, now, f"the probe failed: {tally.last}")
    in_vain = breaker.useless and tally.useless == tally.ok
    if in_vain and not tally.failed and breaker.holder == who:
        return _opened(policy, breaker, now, f"the probe's answer was of no use: {tally.declined}")
    if tally.failed or in_vain:
        return breaker
    return closed(now, "a call succeeded", breaker.version, policy.ramp)


def trip(breaker: Breaker, now: int, who: str, reason: str) -> Breaker:
    """Open it by hand."""
    return Breaker(
        since=now,
        version=max(now, breaker.version + 1),
        phase=Phase.OPEN,
        tripped=True,
        slots=breaker.slots,
        reason=f"tripped by {who}: {reason}",
    )


def reset(breaker: Breaker, now: int, who: str) -> Breaker:
    """Close it by hand, and forget what it counted."""
    return closed(now, f"reset by {who}", breaker.version)


def newer(
    policy: BreakerPolicy, stored: Breaker | None, offered: Breaker | None, now: int, own: bool
) -> Breaker | None:
    """What holds when a process offers its copy; `own` where the process changed it without the registry.

    The newest change wins, except over an operator's. An emptied or rewound registry is filled again from the copies.
    Their times can be those of another clock (a process's own estimate, a server that is gone): none may lie so far
    ahead that a breaker would stay open beyond its time.
    """
    if offered is None:
        return stored
    version = min(offered.version, now) if own else offered.version
    if stored is not None and (version <= stored.version or (own and stored.tripped)):
        return stored
    longest = now + int(max(policy.recovery, policy.lease, policy.ramp) * 1000)
    return replace(offered, version=version, since=min(offered.since, now), until=min(offered.until, longest))


def window(policy: BreakerPolicy, breaker: Breaker, now: int) -> tuple[int, int]:
    """Calls and failures that are in the window now."""
    live = _live(policy, breaker, now)
    failures = sum(slot[2] for slot in live)
    return sum(slot[1] for slot in live) + failures, failures


def answers(policy: BreakerPolicy, breaker: Breaker, now: int) -> tuple[int, int]:
    """Answers, and those of no use, that are in the window now."""
    live = _live(policy, breaker, now)
    return sum(slot[1] for slot in live), sum(slot[3] for slot in live)


def wait(breaker: Breaker, now: int) -> float:
    """Seconds after which a refused caller should ask again."""
    return ASK_AGAIN if breaker.tripped else min(max((breaker.until - now) / 1000, 0.05), ASK_AGAIN)


def reopens_in(breaker: Breaker, now: int) -> float:
    """Seconds until a probe is allowed; 0 where none is waited for."""
    waits = breaker.phase is Phase.OPEN and not breaker.tripped
    return max(breaker.until - now, 0) / 1000 if waits else 0.0


def full_in(breaker: Breaker, now: int) -> float:
    """Seconds until every call is let through again after a recovery; 0 where none is waited for."""
    return max(breaker.until - now, 0) / 1000 if breaker.phase is Phase.CLOSED else 0.0


def _live(policy: BreakerPolicy, breaker: Breaker, now: int) -> tuple[tuple[int, int, int, int], ...]:
    # A part that lies ahead was written before a clock was set back; it would count far too long.
    return tuple(slot for slot in breaker.slots if 0 <= now // policy.slot - slot[0] < SLOTS)


def _count(policy: BreakerPolicy, breaker: Breaker, now: int, tally: Tally) -> Breaker:
    live = _live(policy, breaker, now)
    # Failures that have left the window do not lengthen a run: five in a year are no outage.
    run = tally.tail if tally.ends or not live else max(breaker.run + tally.longer, tally.tail)
    number = now // policy.slot
    if live and live[-1][0] == number:
        live, (_, ok, failed, useless) = live[:-1], live[-1]
        slots = (*live, (number, ok + tally.ok, failed + tally.failed, useless + tally.useless))
    else:
        slots = (*live, (number, tally.ok, tally.failed, tally.useless))
    counted = replace(breaker, run=run, slots=slots)
    calls, failures = window(policy, counted, now)
    if tally.failed and run >= policy.threshold:
        return _opened(policy, counted, now, f"{run} failures in a row, the last: {tally.last}")
    if tally.failed and calls >= policy.minimum_calls and failures >= policy.share * (calls + tally.open):
        return _opened(policy, counted, now, f"{failures} of {calls} calls failed, the last: {tally.last}")
    given, vain = answers(policy, counted, now)
    if tally.useless and given >= policy.minimum_answers and vain >= policy.useless_share * given:
        reason = f"{vain} of {given} answers were of no use, the last: {tally.declined}"
        return replace(_opened(policy, counted, now, reason), useless=True)
    return counted


def _opened(policy: BreakerPolicy, breaker: Breaker, now: int, reason: str) -> Breaker:
    return replace(
        breaker,
        phase=Phase.OPEN,
        since=now,
        version=max(now, breaker.version + 1),
        until=now + int(policy.recovery * 1000),
        holder="",
        run=0,
        reason=reason,
    )
