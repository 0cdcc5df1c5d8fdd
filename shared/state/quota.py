"""What this process has used of one limit, and has not told yet; it decides alone while the registry is away."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.core import limits as rules
from shared.core.limits import Granted, Pair, Slot, Window, WindowPolicy
from shared.limit_port import LimitReport


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one process tells of one limit, and asks of it."""

    name: str
    """The limit."""
    limit: Pair
    """Requests and tokens in a window; 0: none."""
    flying: Pair
    """What its calls in flight have reserved."""
    batches: tuple[tuple[int, tuple[Slot, ...]], ...] = ()
    """What its calls used, in numbered batches: one that was told before counts once."""
    whole: bool = False
    """The batches hold everything that it used in the window."""
    wishes: tuple[int, ...] = ()
    """Estimated tokens of each call that waits, the next one first."""
    hold: int = 0
    """Milliseconds for which the provider wants no call."""
    workers: int = 0
    """How many processes it knew when it last heard."""


@dataclass(frozen=True, slots=True)
class Told:
    """The registry's word on one limit."""

    name: str
    """The limit."""
    granted: Granted
    """Which of the wishes may be fulfilled."""
    hold: int
    """Milliseconds for which nobody calls."""
    workers: int
    """Processes that use it."""
    stranger: bool
    """It knows nothing of the asker, who has to tell everything."""


@dataclass(slots=True)
class Quota:
    """One limit as this process knows it. The window is its own: what the others used, only the registry knows."""

    name: str
    """The limit."""
    limit: Pair
    """Requests and tokens in a window; 0: none."""
    own: Window = field(default_factory=Window)
    """What this process used, what its calls have reserved, and until when the provider wants no call."""
    workers: int = 0
    """Processes that used it when the registry last answered."""
    number: int = 0
    """Number of the newest batch."""
    untold: list[Slot] = field(default_factory=list)
    """What was used since the newest batch was made."""
    batches: list[tuple[int, tuple[Slot, ...]]] = field(default_factory=list)
    """Batches whose receipt was not confirmed."""
    stranger: bool = True
    """The registry knows nothing of this process, as far as it knows."""
    hold: int = 0
    """When a word of the provider that was not told yet ends; 0: all is told."""
    news: bool = False
    """There is something to tell."""

    @property
    def unlimited(self) -> bool:
        """It has no limits of its own; only the provider's word can hold a call back."""
        return self.limit == (0, 0)

    def fits(self, tokens: int) -> int:
        """The estimate as it is reserved: what exceeds the whole limit could never be."""
        return min(tokens, self.limit[1]) if self.limit[1] > 0 else tokens

    def ended(self, reserved: int, notes: Sequence[Slot]) -> None:
        """A call that was reserved has ended and used so much; nothing where it was not made."""
        kept = () if self.unlimited else tuple(notes)
        self.own = rules.settled(self.own, (1, reserved), kept)
        self.untold += kept
        self.news = True

    def held(self, until: int) -> None:
        """The provider wants no call before that time."""
        self.own = rules.held(self.own, until)
        self.hold = max(self.hold, until)
        self.news = True

    def wanted(self, policy: WindowPolicy, now: int, wishes: Sequence[int]) -> Wanted:
        """What is to be told now."""
        self.own = rules.passed(policy, self.limit, self.own, now)
        if self.untold:
            self.number += 1
            self.batches.append((self.number, rules.added((), self.untold)))
            self.untold = []
        # What has expired is no news, however long nobody could be told.
        live = [(number, tuple(n for n in notes if policy.expiry(n[0]) > now)) for number, notes in self.batches]
        self.batches = [batch for batch in live if batch[1]]
        if self.stranger:
            # Should the answer be lost, it may count twice for the length of a window, which errs on the safe side.
            self.number += 1
            self.batches = [(self.number, self.own.slots)]
        return Wanted(
            self.name,
            self.limit,
            self.own.flying,
            tuple(self.batches),
            self.stranger,
            tuple(wishes),
            max(self.hold - now, 0),
            self.workers,
        )

    def take(self, wanted: Wanted, told: Told, now: int) -> Granted:
        """The registry has answered, at that time of its clock."""
        # To a stranger it cannot tell how many there are: after it was emptied, the others are strangers as well.
        self.workers = self.workers if told.stranger else told.workers
        self.hold = 0 if self.hold <= now + wanted.hold else self.hold
        if told.hold > 0:
            self.own = rules.held(self.own, now + told.hold)
        if told.stranger:
            self.stranger = True
            return Granted(0, 1)
        self.stranger = False
        self.news = bool(self.untold)
        confirmed = {number for number, _ in wanted.batches}
        self.batches = [batch for batch in self.batches if batch[0] not in confirmed]
        self._reserve(wanted.wishes[: told.granted.count])
        return told.granted

    def report(self, policy: WindowPolicy, now: int, waiting: int) -> LimitReport:
        """How it stands; so many calls wait for it here."""
        own = rules.passed(policy, self.limit, self.own, now)
        used = sum(slot[1] for slot in own.slots), sum(slot[2] for slot in own.slots)
        return LimitReport(self.name, self.limit, own.flying, used, waiting, self.workers)

    def alone(self, policy: WindowPolicy, now: int, wishes: Sequence[int]) -> Granted:
        """Decide without the registry: this process's part of the limit, were it shared evenly."""
        parts = max(self.workers, 1)
        share = (-(-self.limit[0] // parts), -(-self.limit[1] // parts))
        fitting = [min(tokens, share[1]) if share[1] > 0 else tokens for tokens in wishes]
        window, granted = rules.grant(policy, share, self.own, now, fitting)
        # The estimates as they were, so that what is settled later is what was reserved.
        self.own = replace(window, flying=self.own.flying)
        self._reserve(wishes[: granted.count])
        return granted

    def _reserve(self, wishes: Sequence[int]) -> None:
        flying = self.own.flying
        self.own = replace(self.own, flying=(flying[0] + len(wishes), flying[1] + sum(wishes)))
