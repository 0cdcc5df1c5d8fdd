"""One process that is to be kept running, and the policy of starting it again."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from infra.local.processes import Child, Command

FIRST_DELAY = 0.5
LONGEST_DELAY = 10.0
HEALTHY_SECONDS = 30.0


@dataclass(slots=True)
class Slot:
    """The place of one process: its command, and the process that now fills it."""

    command: Command
    """What runs here."""
    service: str
    """The service it belongs to; a part's own name for a part."""
    number: int = 0
    """Its number within the service, from 1; 0 for a part."""
    health_port: int | None = None
    """Where a service's process answers about its health."""
    child: Child | None = None
    """The process, or None while there is none."""
    restarts: int = 0
    """How often it had to be started again."""
    delay: float = 0.0
    """Seconds waited before the latest start."""
    due: float = 0.0
    """Not to be started before this moment (monotonic seconds)."""
    leaving_by: float | None = None
    """When it is killed if it has not stopped by then; None while it is to run."""
    last_exit: str = ""
    """Why the process before this one ended."""

    @property
    def name(self) -> str:
        """The process's name."""
        return self.command.name

    @property
    def state(self) -> str:
        """`running`, `stopping`, or `waiting` for its next start."""
        if self.leaving_by is not None:
            return "stopping"
        return "running" if self.child else "waiting"

    def ended(self, code: int, now: float) -> None:
        """Note that the process has ended, and decide when it is started again."""
        lived = now - self.child.started if self.child else 0.0
        self.child = None
        self.last_exit = exit_reason(code)
        self.delay = next_delay(self.delay, lived)
        self.due = now + self.delay
        self.restarts += 1


def next_delay(delay: float, lived: float) -> float:
    """Give the seconds to wait before the next start: doubling, and the shortest after a process that lived well."""
    if lived >= HEALTHY_SECONDS:
        return FIRST_DELAY
    return min(max(delay * 2, FIRST_DELAY), LONGEST_DELAY)


def exit_reason(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
