"""Processes that are started again when they end by themselves, as the supervisor would do."""

import time
from collections.abc import Callable, Mapping

from infra.bench.herd import Herd, Process

MAY_END_WITH = (1, 4)
"""Something fatal, and a client call that hung; 2 would be a wrong setting, and that is no answer to trouble."""


class Crew:
    """Keeps a number of processes running, each known by its command and its place among those of the command."""

    def __init__(self, herd: Herd, environment: Mapping[str, str]) -> None:
        self._herd, self._environment = herd, environment
        self._commands: dict[tuple[str, ...], int] = {}
        self.processes: dict[tuple[tuple[str, ...], int], Process] = {}
        """Those that should be running."""
        self.ended: list[int] = []
        """Statuses of those that ended by themselves."""
        self.left: list[Process] = []
        """Those that were asked to end."""

    def join(self, *command: str) -> Process:
        """One more of them."""
        number = self._commands[command] = self._commands.get(command, 0) + 1
        return self._start((command, number))

    def leave(self, process: Process) -> None:
        """Ask one to end in good order; it is not started again."""
        self.processes = {name: other for name, other in self.processes.items() if other is not process}
        self.left.append(process)
        process.terminate()

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Look after all until it holds; fails at the deadline, and where one ends in a way that mends nothing."""
        deadline = time.monotonic() + seconds
        while not holds():
            self.look_after()
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self._herd.log()}"
            time.sleep(0.1)

    def look_after(self) -> None:
        """Start again what has ended."""
        for name, process in list(self.processes.items()):
            if (status := process.poll()) is not None:
                assert status in MAY_END_WITH, f"{name} ended with {status}\n{self._herd.log()}"
                self.ended.append(status)
                self._start(name)

    def _start(self, name: tuple[tuple[str, ...], int]) -> Process:
        self.processes[name] = self._herd.start(*name[0], **self._environment)
        return self.processes[name]
