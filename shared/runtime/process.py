"""A service as a process: settings, signals, health, and an end that leaves nothing behind.

SIGTERM, SIGINT   drain, commit, leave the group, exit 0
Misconfigured     one sentence on stderr, exit 2
anything fatal    the reason on stderr, exit 1: whoever supervises starts it again
"""

import asyncio
import contextlib
import faulthandler
import gc
import os
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.core.crash_points import CrashHere, nowhere
from shared.core.errors import Misconfigured
from shared.observe.logs import configure, logger
from shared.runtime.crashing import crash_at
from shared.settings import Settings, load

log = logger("process")

YOUNG_OBJECTS = 50_000
"""Objects made and not freed before the youngest are looked at; Python's own 700 is for programs that hold few."""


@dataclass
class Life:
    """One process: who it is, when it should end, and why."""

    service: str
    """Name of the service."""
    settings: Settings
    """Its settings."""
    instance: str
    """Its name among the service's processes."""
    crash_here: CrashHere = nowhere
    """Called at each place at which it may have been told to die."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it should end."""
    failure: BaseException | None = None
    """What ended it, if it was no wish of ours."""

    def say(self, message: str) -> None:
        """Tell whoever reads the log."""
        log.info(message, instance=self.instance)

    def fail(self, error: BaseException) -> None:
        """End with an error."""
        self.failure = self.failure or error
        self.ended.set()


def run(service: str, body: Callable[[Life], Awaitable[None]]) -> None:
    """Run a service until it is told to end; exits the process."""
    try:
        settings = load()
        configure(service)
        _calm_the_collector()
        sys.exit(asyncio.run(_live(service, settings, body)))
    except Misconfigured as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)


def _calm_the_collector() -> None:
    """Leave what was imported out of every collection, and collect less often.

    At a thousand documents in flight a full collection otherwise stops all of them for 50 to 100 ms, once a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


async def _live(service: str, settings: Settings, body: Callable[[Life], Awaitable[None]]) -> int:
    instance = settings.instance or f"{service}-{uuid.uuid4().hex[:8]}"
    life = Life(service, settings, instance, crash_at(os.environ))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, life.ended.set)
    await body(life)
    if isinstance(life.failure, Misconfigured):
        raise life.failure
    if life.failure is not None:
        log.error("ends", instance=life.instance, reason=f"{type(life.failure).__name__}: {life.failure}")
        return 1
    return 0


def end_at_once(instance: str, reason: str) -> None:
    """End without cleaning up, as `kill -9` would; safe, because that is the case everything is built for."""
    with contextlib.suppress(OSError):
        print(f"{instance} ends at once: {reason}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback()
    os._exit(4)
