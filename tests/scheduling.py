"""Where two workers run the tests side by side: which tests stay with the same one."""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

LONG = ("chaos", "bench")
"""Folders whose tests kill and measure: one after the other, and before all others."""


def scope_of(nodeid: str) -> str:
    """What loads the machine most is one piece of work, any other file one of its own: its tests share what it made."""
    file = nodeid.partition("::")[0]
    return "long" if PurePosixPath(file).parts[1] in LONG else file


class ByScope(LoadScopeScheduling):
    """Gives each piece of work to one worker.

    Not by `xdist_group`: pytest-xdist 3.8 tells the groups by changing node ids, and from pytest 9.2 on that is without
    effect and without a word (pytest-xdist issue 1386), so that the tests of one file run in two processes.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
