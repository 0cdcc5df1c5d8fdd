"""Requests and tokens per minute, as a provider counts them: at most so many in any sliding window.

    before a call   it is reserved at its estimate, and is `flying`: nobody knows yet when the provider counts it
    after it        the estimate goes, and what was really used is noted in a slot of the window
    a window later  it comes back, and not at once but at the pace of the limit

The last is why calls do not come in waves for ever: what was used within seconds would be free again within seconds,
and all workers would wait out the minute between. So a wave spreads over one window; nothing is lost by it, for what
comes back is never slower than the limit.

Times are whole milliseconds of any clock; amounts come in pairs, requests first, tokens second. `limit.lua` in
`shared/state` follows these rules line by line; a test holds them against each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Pair = tuple[int, int]
"""Requests and tokens."""
Slot = tuple[int, int, int]
"""Number of a slot, requests and tokens noted in it."""

UNKNOWN_WAIT = 1000
"""Milliseconds to wait where only a call that ends can make room."""


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """How providers count."""

    window: int = 60_000
    """Milliseconds in which they count."""
    parts: int = 200
    """Slots of a window: what is noted comes back with its slot, up to one slot late."""
    returns: int = 110
    """Pace at which used amounts come back, in hundredths of the limit: at just the limit all jitter would be lost."""

    @property
    def part(self) -> int:
        """Milliseconds of a slot."""
        return max(self.window // self.parts, 1)

    def slot(self, at: int) -> int:
        """Number of the slot of a time."""
        return at // self.part

    def expiry(self, number: int) -> int:
        """When what was noted in a slot is surely out of the provider's window."""
        return (number + 1) * self.part + self.window

    def taken_by(self, limit: int, amount: int) -> int:
        """Milliseconds in which so much comes back, rounded up."""
        return -(-amount * self.window * 100 // (limit * self.returns))


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of one limit."""

    slots: tuple[Slot, ...] = ()
    """What was used, oldest first."""
    flying: Pair = (0, 0)
    """Reserved for calls that have not ended."""
    back: Pair = (0, 0)
    """When all that fell out of the window is to be had again, for each of the two."""
    hold: int = 0
    """Nobody calls before this time: the provider said so."""


@dataclass(frozen=True, slots=True)
class Granted:
    """Which of the calls that want to be made may be."""

    count: int
    """So many, the first ones."""
    wait: int = 0
    """Milliseconds until the next one is worth asking for; 0 where all may be made."""


def passed(policy: WindowPolicy, limit: Pair, window: Window, now: int) -> Window:
    """Let time pass: what is out of the window begins to come back."""
    gone = [slot for slot in window.slots if policy.expiry(slot[0]) <= now]
    if not gone:
        return window
    back = [window.back[0], window.back[1]]
    for slot in gone:
        for which in (0, 1):
            back[which] = _returning(policy, limit[which], back[which], policy.expiry(slot[0]), slot[which + 1])
    kept = tuple(slot for slot in window.slots if policy.expiry(slot[0]) > now)
    return replace(window, slots=kept, back=(back[0], back[1]))


def grant(policy: WindowPolicy, limit: Pair, window: Window, now: int, wishes: Sequence[int]) -> tuple[Window, Granted]:
    """Reserve one call after the other, each at its estimate of tokens, as long as they fit; in a limit 0 is none.

    They are not taken out of turn: a large one that has to wait would else be overtaken for ever.
    """
    window = passed(policy, limit, window, now)
    for count, tokens in enumerate(wishes):
        if (wait := opening(policy, limit, window, now, tokens)) > 0:
            return window, Granted(count, wait)
        window = replace(window, flying=(window.flying[0] + 1, window.flying[1] + tokens))
    return window, Granted(len(wishes))


def settled(window: Window, reserved: Pair, notes: Iterable[Slot]) -> Window:
    """A call ended: its reservation goes, and what it used is noted."""
    flying = (max(window.flying[0] - reserved[0], 0), max(window.flying[1] - reserved[1], 0))
    return replace(window, flying=flying, slots=added(window.slots, notes))


def held(window: Window, until: int) -> Window:
    """Nobody calls before that time; what was said before stands where it is longer."""
    return replace(window, hold=max(window.hold, until))


def added(slots: Iterable[Slot], notes: Iterable[Slot]) -> tuple[Slot, ...]:
    """The sum of both, slot by slot."""
    sums: dict[int, Pair] = {number: (requests, tokens) for number, requests, tokens in slots}
    for number, requests, tokens in notes:
        had = sums.get(number, (0, 0))
        sums[number] = (had[0] + requests, had[1] + tokens)
    return tuple((number, *sums[number]) for number in sorted(sums))


def opening(policy: WindowPolicy, limit: Pair, window: Window, now: int, tokens: int) -> int:
    """Milliseconds until a call of so many tokens fits, if nobody else takes the room and no call ends before."""
    opens = max(now, window.hold)
    for which, need in enumerate((1, tokens)):
        if limit[which] > 0:
            opens = max(opens, _opens(policy, limit[which], window, which, (now, need)))
    return opens - now


def _opens(policy: WindowPolicy, limit: int, window: Window, which: int, wanted: Pair) -> int:
    """When one of the two has room; `wanted`: now, and how much. Every slot's end is an event of the future."""
    at, need = wanted
    used, back = sum(slot[which + 1] for slot in window.slots) + window.flying[which], window.back[which]
    for slot in window.slots:
        expiry, room = policy.expiry(slot[0]), limit - used - need
        if room >= 0 and (opens := _had_again(policy, limit, back, at, room)) <= expiry:
            return opens
        used -= slot[which + 1]
        back, at = _returning(policy, limit, back, expiry, slot[which + 1]), max(at, expiry)
    room = limit - used - need
    return _had_again(policy, limit, back, at, room) if room >= 0 else at + UNKNOWN_WAIT


def _had_again(policy: WindowPolicy, limit: int, back: int, at: int, room: int) -> int:
    """When no more than `room` is still on its way back."""
    return max(at, back - room * policy.window * 100 // (limit * policy.returns))


def _returning(policy: WindowPolicy, limit: int, back: int, expiry: int, amount: int) -> int:
    """When all is to be had again, with so much more that fell out of the window."""
    return max(back, expiry) + policy.taken_by(limit, amount) if limit > 0 and amount > 0 else back
