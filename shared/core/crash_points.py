"""The places at which a process can be told to die, to show that none of them loses or doubles anything.

They are the gaps between two steps of which one changes what the rest of the world can see. What happens at such a
place is the runtime's business; here they have their names.
"""

from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """Each gap, in the order in which a partition and its records pass them."""

    ASSIGNED = "assigned"
    """The group gave partitions, and nothing of them was read."""
    TAKEN_UP = "taken_up"
    """Records were read, and no handler knows of them."""
    BEFORE_CALL = "before_call"
    """The handler is about to begin."""
    AFTER_CALL = "after_call"
    """The handler is done, and nobody knows."""
    BEFORE_BEGIN = "before_begin"
    """Results are gathered, and no transaction is open."""
    AFTER_BEGIN = "after_begin"
    """The transaction is open and empty."""
    AFTER_PRODUCE = "after_produce"
    """The outputs are in it, the progress is not."""
    AFTER_OFFSETS = "after_offsets"
    """Everything is in it, and it is not committed."""
    AFTER_COMMIT = "after_commit"
    """It is committed, and the process has not noted it."""
    AFTER_NOTE = "after_note"
    """The process has noted it."""
    AFTER_ABORT = "after_abort"
    """It was refused and aborted; the results wait for the next attempt."""
    BEFORE_DRAIN = "before_drain"
    """The group wants partitions back, and their records are at work."""
    AFTER_DRAIN = "after_drain"
    """They are done and committed, and the group still counts them as ours."""
    AFTER_LOSS = "after_loss"
    """The group gave partitions to somebody else without asking."""
    BEFORE_LEAVE = "before_leave"
    """Told to end, drained, and still a member of the group."""


CrashHere = Callable[[CrashPoint], None]
"""Called at each place; ends the process, or does nothing."""


def nowhere(point: CrashPoint) -> None:
    """Go on, as every process does that was not told otherwise."""
