"""The two threads around the event loop: one polls, one commits, and neither ever waits for a handler.

    poll -> take up -> (loop: decode, handle, settle) -> finished -> begin, produce, offsets, commit

A transaction is opened only around results that are already there, so a slow call never spans one. The next commit
starts as soon as the previous one is done, and takes along whatever has finished meanwhile.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.core.crash_points import CrashHere, CrashPoint, nowhere
from shared.core.delivery import Delivery
from shared.kafka_port import AsOf, GroupMember, Offset, Transactions
from shared.runtime.flow.fair import Fair
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares


@dataclass(frozen=True, slots=True)
class EnginePolicy:
    """The limits of one process."""

    batch: int = 500
    """Records of one poll, and of one call of a batch handler."""
    transaction: int = 1000
    """Records whose results share a transaction."""
    drain_seconds: float = 10.0
    """How long a leaving partition waits for the calls that run."""
    idle_poll_seconds: float = 0.05
    """How long a poll waits for the first record."""
    stall_seconds: float = 1.0
    """How long the window may be full before fetching is paused, which throws away what was fetched ahead."""
    hang_seconds: float = 40.0
    """How long one call of the Kafka client may take before the process ends itself: it can hang for ever."""


class Watched(Protocol):
    """Who counts what the engine does."""

    def took(self, deliveries: Sequence[Delivery]) -> None:
        """These came from Kafka."""
        ...

    def committed(self, records: int, seconds: float) -> None:
        """A transaction with the results of so many records is through."""
        ...


class Admits(Protocol):
    """Who gets the records; called on the loop."""

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many wait for which dependency."""
        ...

    def admit(self, batch: Sequence[Taken]) -> None:
        """These were taken up."""
        ...

    def dropped(self) -> None:
        """Partitions were lost."""
        ...

    def pump(self) -> None:
        """What was refused may be begun by now."""
        ...


class Engine:
    """Moves records from a subscription to their handler and into transactions. It is the subscription's owner."""

    def __init__(
        self,
        policy: EnginePolicy,
        shares: Shares,
        transactor: Transactions,
        admission: Admits,
        watched: Watched,
        crash_here: CrashHere = nowhere,
    ) -> None:
        self._policy, self._shares, self._transactor, self._admission = policy, shares, transactor, admission
        self._watched, self._crash_here = watched, crash_here
        self._fair = Fair(shares)
        self._full_since: dict[tuple[str, int], float] = {}
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: Callable[[BaseException], None] = lambda _: None
        self.joined = False
        """The group has told at least once what is ours."""

    def start(
        self, subscribe: Callable[["Engine"], GroupMember], failed: Callable[[BaseException], None]
    ) -> list[threading.Thread]:
        """Start both threads from the loop's own; `failed` is called on the loop with what ended one of them."""
        self._failed = failed
        self.join(subscribe)
        threads = [
            threading.Thread(target=self._guard, args=(body,), name=name, daemon=True)
            for name, body in (("poll", self._poll), ("commit", self._commit))
        ]
        for thread in threads:
            thread.start()
        return threads

    def join(self, subscribe: Callable[["Engine"], GroupMember]) -> None:
        """Become a member of the group, from the loop's own thread; without the threads nothing goes on by itself."""
        self._loop = asyncio.get_running_loop()
        self._transactor.open()
        self._subscription = subscribe(self)

    def stop(self) -> None:
        """Drain, commit, leave the group; the threads end by themselves."""
        self._stopping.set()

    @property
    def hangs(self) -> bool:
        """A call of the Kafka client takes longer than any that could still succeed."""
        running = (self._transactor.since, self._subscription.since)
        return any(since is not None and time.monotonic() - since > self._policy.hang_seconds for since in running)

    @property
    def waiting(self) -> Mapping[str, int]:
        """How many records wait for which dependency."""
        return self._admission.waiting

    def _guard(self, body: Callable[[], None]) -> None:
        try:
            body()
        except BaseException as error:  # noqa: BLE001  a thread has no caller: whatever it is, the service must end
            self._drained.set()
            self._have_loop(self._failed, error)

    def _have_loop(self, call: Callable[..., object], *given: object) -> None:
        """Have the loop make a call; one that is gone has nothing left to do."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *given)

    # ------------------------------------------------------------------------------------------- the polling thread

    def _poll(self) -> None:
        full_since: float | None = None
        while not self._stopping.is_set():
            now = time.monotonic()
            back = self._fair.standing_back(self._subscription.behind, now)
            held = self._long_full(now) | back
            self._subscription.hold_back(held)
            room = self._shares.room(held)
            if room > 0:
                if full_since is not None and time.monotonic() - full_since > self._policy.stall_seconds:
                    self._subscription.resume()
                full_since = None
                self.take_up(min(room, self._policy.batch, self._shares.part), self._policy.idle_poll_seconds)
            else:
                full_since = full_since or time.monotonic()
                self._wait_for_room(time.monotonic() - full_since)
        # Polled all the while, though of nothing: members that come and go move the group on, and a process that did
        # not hear of it could not commit what ends.
        self._subscription.pause()
        self._shares.drain(None, self._patience, lambda: self._subscription.poll(1, 0))
        self._drained.set()
        self._crash_here(CrashPoint.BEFORE_LEAVE)
        self._subscription.close()

    def _long_full(self, now: float) -> frozenset[tuple[str, int]]:
        """Partitions that have been full for long: only for these is it worth losing what was fetched ahead."""
        self._full_since = {key: self._full_since.get(key, now) for key in self._shares.full()}
        return frozenset(key for key, since in self._full_since.items() if now - since > self._policy.stall_seconds)

    def _wait_for_room(self, seconds: float) -> None:
        """Not polling is the gentle way to hold back; past the stall time poll on, paused, to stay a member."""
        with self._shares.changed:
            self._shares.changed.wait(0.02)
        if seconds > self._policy.stall_seconds:
            self._subscription.pause()
            self.take_up(1, 0.02)

    def take_up(self, most: int, seconds: float) -> None:
        """One poll, and what it brought to the loop."""
        deliveries = self._subscription.poll(most, seconds)
        self._watched.took(deliveries)
        taken = self._shares.take(deliveries)
        self._fair.polled(time.monotonic(), len(deliveries), most)
        self._shares.reached_end(self._subscription.ended())
        if taken:
            self._crash_here(CrashPoint.TAKEN_UP)
            self._have_loop(self._admission.admit, taken)

    @property
    def _patience(self) -> float:
        """Seconds to wait for what runs: none once everything was drained, or when nobody commits any more."""
        return 0.0 if self._drained.is_set() else self._policy.drain_seconds

    def assigned(self, offsets: Sequence[Offset]) -> Collection[tuple[str, int]]:
        """The group gave us these; some are to be read only after their retry topics."""
        self._crash_here(CrashPoint.ASSIGNED)
        self._shares.add(offsets)
        self.joined = True
        return self._shares.early()

    def revoked(self, partitions: Sequence[tuple[str, int]]) -> None:
        """The group wants these back: what runs ends and is committed first, so that nothing is done twice."""
        self._crash_here(CrashPoint.BEFORE_DRAIN)
        self._shares.drain(partitions, self._patience)
        self._crash_here(CrashPoint.AFTER_DRAIN)
        self._drop(partitions)

    def lost(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Somebody else has these already."""
        self._crash_here(CrashPoint.AFTER_LOSS)
        self._drop(partitions)

    def _drop(self, partitions: Sequence[tuple[str, int]]) -> None:
        self._shares.drop(partitions)
        self._have_loop(self._admission.dropped)

    # ------------------------------------------------------------------------------------------ the committing thread

    def _commit(self) -> None:
        unsent: list[Finished] = []
        while not (self._drained.is_set() and not unsent):
            # What an aborted attempt could not write is tried again before anything joins it: results that pile up
            # behind an outage count as taken up, and no more is fetched.
            unsent, through = self.write(unsent or self._shares.await_finished(0.25, self._policy.transaction))
            if not through and self._drained.wait(0.2):  # let the poll rejoin the group before the next try
                return
            self.look_again()

    def look_again(self) -> None:
        """What was committed, given back or lost may have made way for what was refused."""
        if self._shares.again():
            self._have_loop(self._admission.pump)

    def write(self, finished: Sequence[Finished]) -> tuple[list[Finished], bool]:
        """One attempt; gives what is still to be written, and whether the attempt succeeded.

        1. the generation
        2. what is ours. A member that was thrown out and has joined again has another generation, and begins anew what
           was in hand: written under the new one, the results of before would be there twice. In this order nothing
           of an older generation is found to be ours, and where it is over meanwhile, the group refuses the attempt
        """
        group = AsOf.now(self._subscription)  # 1
        ours, told = self._shares.complete(finished)  # 2
        if not told:
            return [], True
        records = [record for one in ours for record in one.records]
        began = time.monotonic()
        through = self._transactor.commit(records, [one.offset for one in told], group)
        committed = {(offset.topic, offset.partition) for offset in through}
        self._shares.not_committed(one for one in told if one.share.key not in committed)
        written = [one for one in ours if one.taken.share.key in committed]
        self._shares.committed(written, [one for one in told if one.share.key in committed])
        if written:
            self._watched.committed(len(written), time.monotonic() - began)
            self._crash_here(CrashPoint.AFTER_NOTE)
        return [one for one in ours if one.taken.share.key not in committed], len(through) == len(told)
