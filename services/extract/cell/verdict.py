"""Decides what the death of a worker says about the document it was reading."""

import signal
from dataclasses import dataclass

from shared.core.failures import Failure

NEAR = 4
"""A worker is near its memory limit when its peak was at least this fraction of it: libraries grow buffers by doubling,
so one that fails to double again has touched about half, and often only the older quarter of that."""

_FAULTS = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP}


@dataclass(frozen=True, slots=True)
class Exit:
    """How a worker ended."""

    code: int
    """Its exit code; negative is the signal that ended it."""
    peak: int = 0
    """The most memory it held, in bytes."""


def verdict(exit: Exit, memory: int) -> Failure | None:
    """Name the failure; None is doubt: somebody else killed the worker, perhaps the kernel out of memory."""
    if exit.code == -signal.SIGKILL:
        return None
    if exit.code == -signal.SIGXCPU:
        return Failure.PARSER_TIMEOUT
    if -exit.code in _FAULTS and exit.peak * NEAR >= memory:
        return Failure.BOMB
    return Failure.PARSER_CRASH


def describe(exit: Exit) -> str:
    """Say in words how a worker ended."""
    if exit.code >= 0:
        return f"exit code {exit.code}"
    try:
        return signal.Signals(-exit.code).name
    except ValueError:
        return f"signal {-exit.code}"
