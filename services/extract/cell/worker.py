"""One worker: a process that reads one document after the other and may be killed at any moment."""

import math
import os
import resource
import socket
import sys
from types import TracebackType

from services.extract.cell import wire
from services.extract.extraction import MIB, Unreadable
from services.extract.reading import read
from shared.core.failures import Failure

OPEN_FILES = 64
FILE_BYTES = 64 * MIB


def live(connection: socket.socket, memory: int) -> None:
    """Serve until the service closes the connection."""
    _confine(memory)
    _last_words(connection)
    while (frame := wire.receive(connection)) is not None:
        document, limits = wire.as_request(frame)
        _allow_cpu(limits.ocr_seconds if limits.ocr else limits.seconds)
        connection.sendall(wire.answer(read(document, limits), peak_memory()))


def peak_memory() -> int:
    """Give the most memory this process ever held, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def set_limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Set a limit of the process as far as the system has it: macOS refuses some, and is served without them."""
    ceiling = resource.getrlimit(kind)[1]
    wanted = ceiling if hard is None else hard
    if ceiling != resource.RLIM_INFINITY and (wanted == resource.RLIM_INFINITY or wanted > ceiling):
        wanted = ceiling
    if wanted != resource.RLIM_INFINITY:
        soft = min(soft, wanted)
    try:
        resource.setrlimit(kind, (soft, wanted))
    except (ValueError, OSError):
        return


def _confine(memory: int) -> None:
    set_limit(resource.RLIMIT_AS, memory, memory)
    set_limit(resource.RLIMIT_FSIZE, FILE_BYTES, FILE_BYTES)
    set_limit(resource.RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)
    set_limit(resource.RLIMIT_CORE, 0, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _allow_cpu(seconds: float) -> None:
    """Grant processor time for one document; the limit counts from the birth of the process, so it moves along.

    It is the second timer: the wall timer in the service comes first, unless the service cannot keep time.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    set_limit(resource.RLIMIT_CPU, math.ceil(used + seconds) + 1)


def _last_words(connection: socket.socket) -> None:
    """Report what nobody caught, then end: after a surprise inside a parser the process is not to be trusted."""

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "unknown place"
        if issubclass(kind, MemoryError):
            found = Unreadable(Failure.BOMB, "The document needs more memory than a reader may have; split it.")
        else:
            cause = f"{kind.__name__}: {error}"[:500]
            found = Unreadable(Failure.PARSER_CRASH, f"The reader failed at {place} ({cause}); report the document.")
        connection.sendall(wire.answer(found, peak_memory()))

    sys.excepthook = report
