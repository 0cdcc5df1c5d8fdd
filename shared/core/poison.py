"""Which record kills its process: what a partition's commits say of owners that ended without closing it.

    taken over, closed          nothing happened
    taken over, still open      a crash; the first, and each without progress of the low watermark, halves the window
    a window of 1               each record runs alone in its process, and is named in a commit before it begins
    alone at two crashes        condemned: it becomes a dead letter without being run again
    all suspects are done       lifted: the window is full again at once

A crash accuses nobody: of 256 records that were running 255 are innocent. So fewer and fewer run beside each other,
until one is left. With 256 in flight a record is condemned by about the tenth crash without progress. Crashes with
progress leave the window as it is, and what was never begun is never counted: processes that are killed at random
narrow it by half for moments. A handler that is killed by hand at every try for as long as that, twice of them while
alone, is condemned too: nothing tells it from one that kills. Where every record kills, as with a broken library, each
is condemned in its turn; all of them can be replayed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

ALONE = 2
"""Crashes at which a record must have run alone to be condemned: one can be anybody's `kill -9`."""
MOST = 99
"""Where counting stops, so that a count is one byte."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is known of the crashes of one partition's owners."""

    open: bool = False
    """A process works on the partition and has not closed it."""
    crashes: int = 0
    """Crashes that halved the window; 0: nothing is suspected, and all that follows is empty."""
    base: int = 0
    """Low watermark when the last crash was counted."""
    running: int | None = None
    """Offset of the record that runs alone."""
    suspect: int | None = None
    """Offset of the record that ran alone at the last crash at which one did."""
    alone: int = 0
    """Crashes at which the suspect ran alone."""


CALM = Suspicion()
"""Nobody works on it, nothing is suspected."""


def taken_over(suspicion: Suspicion, base: int) -> Suspicion:
    """What a new owner finds, at the low watermark `base`; it has not opened the partition yet."""
    if not suspicion.open:
        return suspicion
    crashes, suspect, alone = suspicion.crashes, suspicion.suspect, suspicion.alone
    if not crashes or base <= suspicion.base:
        crashes = min(crashes + 1, MOST)
    if suspicion.running is not None:
        alone = min(alone + 1, MOST) if suspicion.running == suspect else 1
        suspect = suspicion.running
    return Suspicion(False, crashes, base, None, suspect, alone)


def opened(suspicion: Suspicion) -> Suspicion:
    """A process is about to begin records of the partition."""
    return replace(suspicion, open=True)


def closed(suspicion: Suspicion) -> Suspicion:
    """The process begins nothing more of it."""
    return replace(suspicion, open=False, running=None)


def naming(suspicion: Suspicion, offset: int | None) -> Suspicion:
    """That record runs alone; None: none does."""
    return replace(suspicion, running=offset)


def completed(suspicion: Suspicion, offset: int) -> Suspicion:
    """A record is done, and the process lives; where the suspect is, nobody is left who could have killed it."""
    if not suspicion.crashes:
        return suspicion
    if offset == suspicion.suspect:
        return lifted(suspicion)
    return replace(suspicion, running=None) if offset == suspicion.running else suspicion


def lifted(suspicion: Suspicion) -> Suspicion:
    """All that may have been in hand at the crash is done, and nothing happened."""
    return Suspicion(open=suspicion.open)


def window(in_flight: int, suspicion: Suspicion) -> int:
    """How many records may be in hand at once in the whole process while one of this partition is among them."""
    return max(1, in_flight >> suspicion.crashes)


def suspects(in_flight: int, suspicion: Suspicion) -> int:
    """How many records of this partition may have been in hand at the last crash."""
    return in_flight >> max(0, suspicion.crashes - 1) or 1


def condemned(suspicion: Suspicion) -> int | None:
    """Offset of the record that must not be run again."""
    return suspicion.suspect if suspicion.alone >= ALONE else None


def verdict(suspicion: Suspicion) -> str:
    """Why a record is condemned, and what to do about it."""
    return (
        f"{suspicion.alone} times the process ended without a word while this record ran alone in it, after"
        f" {suspicion.crashes} crashes without progress: look for segmentation faults and kills for memory in the"
        " system's log, mend the cause and replay"
    )


def numbers(suspicion: Suspicion, base: int) -> list[int]:
    """As small numbers, beside a low watermark that no named record lies below; `from_numbers` reads them back."""
    running, suspect = suspicion.running, suspicion.suspect
    found = [suspicion.open | (running is not None) << 1 | (suspect is not None) << 2, suspicion.crashes]
    if suspicion.crashes:
        found.append(base - suspicion.base)
    if running is not None:
        found.append(running - base)
    if suspect is not None:
        found += [suspect - base, suspicion.alone]
    return found


def from_numbers(found: Iterator[int], base: int) -> Suspicion:
    """Take a suspicion's numbers from the front. Raises StopIteration where they are not all there."""
    flags, crashes = next(found), next(found)
    counted = base - next(found) if crashes else 0
    running = base + next(found) if flags & 2 else None
    suspect, alone = (base + next(found), next(found)) if flags & 4 else (None, 0)
    return Suspicion(bool(flags & 1), crashes, counted, running, suspect, alone)
