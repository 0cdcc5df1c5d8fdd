"""What this process knows of every breaker: answers calls at once, and goes on alone while the registry is away."""

import time
from collections.abc import Sequence
from dataclasses import replace

from shared.core import breaker as rules
from shared.core import ramp
from shared.core.breaker import Breaker, BreakerPolicy, Phase, Verdict
from shared.core.failures import Failure
from shared.core.ramp import Passed
from shared.core.streak import Streaks
from shared.core.tally import Tally
from shared.state.wire import Answer, Command


class Copies:
    """The local copies, and what the registry has not been told yet.

    A copy is the whole state, window included. So a process that loses the registry decides on with what the fleet
    knew last, by the same rules, and nothing has to be rebuilt in either direction.
    """

    def __init__(self, policy: BreakerPolicy, who: str) -> None:
        self.policy = policy
        self.who = who
        self.known: dict[str, Breaker] = {}
        self._own: set[str] = set()
        self._untold: dict[str, Tally] = {}
        self._passed: dict[str, Passed] = {}
        self._streaks = Streaks()
        # Until the registry has answered once, this machine's clock stands in for its clock.
        self._ahead = int(time.time() * 1000) - _monotonic()

    @property
    def now(self) -> int:
        """The registry's time in milliseconds, as well as it can be told from here."""
        return _monotonic() + self._ahead

    @property
    def untold(self) -> bool:
        """Whether outcomes wait to be told."""
        return bool(self._untold)

    def closed(self, name: str) -> bool:
        """Whether the copy is closed."""
        breaker = self.known.get(name)
        return breaker is None or breaker.phase is Phase.CLOSED

    def ask(self, name: str) -> Verdict:
        """What the copy says; PROBE means that the lease has still to be asked for."""
        breaker, now = self.known.get(name), self.now
        if breaker is None:
            return Verdict.GO
        verdict = rules.ask(self.policy, breaker, now, self.who)[1]
        if verdict is Verdict.GO and now < breaker.until:
            self._passed[name], passes = ramp.passes(breaker, now, self._passed.get(name, Passed()))
            return Verdict.GO if passes else Verdict.WAIT
        return verdict

    def ask_alone(self, name: str) -> Verdict:
        """Decide without the registry, and lease the probe to this process."""
        breaker, verdict = rules.ask(self.policy, self._state(name), self.now, self.who)
        self._change(name, breaker)
        return verdict

    def wait(self, name: str) -> float:
        """Seconds after which a refused caller should ask again."""
        breaker, now = self._state(name), self.now
        return ramp.next_step(breaker, now) if breaker.phase is Phase.CLOSED else rules.wait(breaker, now)

    def begin(self, name: str) -> int:
        """A call is let through; gives its number."""
        return self._streaks.begin(name, self._since(name))

    def leave(self, name: str, number: int) -> None:
        """It is over, or was not made after all."""
        self._streaks.leave(name, number)

    def note(self, name: str, failure: Failure | None, number: int) -> None:
        """A call ended; to be told."""
        tally = self._untold.get(name, Tally())
        self._untold[name] = self._streaks.counted(tally, name, failure, number, self._since(name))

    def command(self, name: str) -> Command:
        """A command about the breaker that says no more than what its copy is."""
        return Command(name, self.known.get(name), name in self._own)

    def report(self, everything: bool) -> list[Command]:
        """Take what is to be told, with the copies it concerns; with all of them where everything is to be compared."""
        tallies, self._untold = self._untold, {}
        names = tallies.keys() | (self.known.keys() if everything else self._own)
        return [replace(self.command(name), tally=tallies.get(name)) for name in sorted(names)]

    def take(self, commands: Sequence[Command], now: int, answers: Sequence[Answer]) -> None:
        """The registry has answered the commands, at that time of its clock."""
        self._ahead = now - _monotonic()
        offered = {command.name: command.view for command in commands}
        for answer in answers:
            mine = self.known.get(answer.name)
            # A copy that this process changed while the answer was under way is offered again with the next report.
            if answer.name in self._own and mine is not offered.get(answer.name):
                continue
            if answer.breaker and (answer.name in self._own or mine is None or answer.breaker.version >= mine.version):
                self.known[answer.name] = answer.breaker
                self._own.discard(answer.name)

    def hear(self, change: Answer) -> None:
        """The registry announced a change."""
        mine = self.known.get(change.name)
        if not change.breaker:
            return
        overruled = change.name in self._own and change.breaker.tripped
        if mine is None or overruled or change.breaker.version > mine.version:
            self.known[change.name] = change.breaker
            self._own.discard(change.name)

    def count_alone(self, commands: Sequence[Command] = ()) -> None:
        """The registry cannot be told: count here what was noted since, and what these commands were to tell."""
        for command in (*commands, *self.report(everything=False)):
            if command.tally:
                breaker = rules.record(self.policy, self._state(command.name), self.now, self.who, command.tally)
                self._change(command.name, breaker)

    def _since(self, name: str) -> int:
        breaker = self.known.get(name)
        return breaker.since if breaker else 0

    def _state(self, name: str) -> Breaker:
        # Version 0: what was begun here must not pass for news where the registry knows the breaker already.
        return self.known.get(name) or replace(rules.closed(self.now), version=0)

    def _change(self, name: str, breaker: Breaker) -> None:
        # Counting alone is nothing to argue about with the registry; a change of phase or lease is.
        if breaker.version != self._state(name).version:
            self._own.add(name)
        self.known[name] = breaker


def _monotonic() -> int:
    return time.monotonic_ns() // 1_000_000
