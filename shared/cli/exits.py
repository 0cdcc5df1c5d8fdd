"""What the command's exit codes mean, and which error ends in which: the one place that knows.

0 done            1 failed       2 usage, or a setting that is wrong     3 partly done      4 not found
5 refused         6 a needed part is unreachable                         7 timeout        130 interrupted
"""

from enum import IntEnum

from shared.core.errors import Misconfigured, PenstockError, Unavailable


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    NOT_FOUND = 4
    REFUSED = 5
    UNREACHABLE = 6
    TIMEOUT = 7
    INTERRUPTED = 130


class Stop(Exception):
    """A verb ends here, with a code and a sentence for the person who typed it."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


def exit_of(error: Exception) -> Exit | None:
    """The code of an error that can be expected; None where it is a fault of ours and wants its traceback."""
    match error:
        case Stop():
            return error.code
        case Misconfigured():
            return Exit.USAGE
        case Unavailable():
            return Exit.UNREACHABLE
        case PenstockError():
            return Exit.FAILED
        case TimeoutError():
            return Exit.TIMEOUT
        case OSError():
            return Exit.FAILED
        case _:
            return None
