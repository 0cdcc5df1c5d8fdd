"""Where two workers run the tests side by side: which tests stay with the same one."""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

PIECES = (("chaos", "bench"), ("pipeline",))
"""Folders that are one piece of work, in the order in which they begin: before all other files, for they take longest.

The first kill and measure, and never both at once; the second share an installation, which starts only once.
"""


def piece_of(nodeid: str) -> int:
    """The place of a test's piece of work among them; behind all where its file is a piece of its own."""
    folder = PurePosixPath(nodeid.partition("::")[0]).parts[1]
    return next((place for place, folders in enumerate(PIECES) if folder in folders), len(PIECES))


def scope_of(nodeid: str) -> str:
    """What stays with one worker."""
    piece = piece_of(nodeid)
    return " ".join(PIECES[piece]) if piece < len(PIECES) else nodeid.partition("::")[0]


class ByScope(LoadScopeScheduling):
    """Gives each piece of work to one worker.

    Not by `xdist_group`: pytest-xdist 3.8 tells the groups by changing node ids, and from pytest 9.2 on that is without
    effect and without a word (pytest-xdist issue 1386), so that the tests of one file run in two processes.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
