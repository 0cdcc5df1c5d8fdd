"""Dies at a named place, as `kill -9` would: PENSTOCK_CRASH_AT=after_commit, or after_commit:3 for the third passing.

For tests and drills of the promise that a crash at any place loses and doubles nothing.
"""

import os
import signal
import threading
from collections.abc import Mapping

from shared.core.crash_points import CrashHere, CrashPoint, nowhere
from shared.core.errors import Misconfigured

VARIABLE = "PENSTOCK_CRASH_AT"


def crash_at(environment: Mapping[str, str]) -> CrashHere:
    """What to call at each place. Raises Misconfigured where nobody knows the place."""
    told = environment.get(VARIABLE, "")
    if not told:
        return nowhere
    name, _, passing = told.partition(":")
    known = [point.value for point in CrashPoint]
    if name not in known or not (passing or "1").isdecimal() or not int(passing or "1"):
        raise Misconfigured(f"{VARIABLE} = {told!r}: write one of {', '.join(known)}, and `:3` for the third passing")
    return Crash(CrashPoint(name), int(passing or "1"))


class Crash:
    """Ends the process at one passing of one place."""

    def __init__(self, point: CrashPoint, passing: int) -> None:
        self._point, self._left = point, passing
        # Handlers pass on the loop, transactions on a thread of their own.
        self._lock = threading.Lock()

    def __call__(self, point: CrashPoint) -> None:
        """Die here, if this is the place."""
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                # Past Python's buffers, or the words would die with the process.
                os.write(2, f"dies as it was told, at {point}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
