"""Ties one process to the life of the process that started it: `python leash.py SIGNAL GRACE USER -- COMMAND…`.

Standard input is a pipe whose other end only the supervisor holds. The program becomes COMMAND (its pid, exit status
and signals are those of the command) and leaves a watcher behind in the command's process group. When the pipe closes,
because the supervisor closed it or died in whatever way, the watcher sends SIGNAL to the group, waits at most GRACE
seconds for the command to leave, then kills the group, itself included. `prctl(PR_SET_PDEATHSIG)` would be shorter, but
exists on Linux only, does not reach grandchildren and is cleared by a change of user.

USER is `-` or `uid:gid`, whom to become before the command starts; the watcher keeps its rights, so that it can kill.
Only the standard library and nothing of this project: it runs with `-I -S`, for every child, in some 15 ms.
"""

import os
import signal
import sys
import time

POLL_SECONDS = 0.02


def is_alive(pid: int) -> bool:
    """Tell whether a process exists, even one that belongs to somebody else."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def watch(command_pid: int, farewell: signal.Signals, grace: float) -> None:
    """Wait for the pipe to close, then end the process group. Never returns."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir("/")
    while os.read(0, 64):
        pass
    # The group's number cannot have been given to strangers: this watcher is still a member of it.
    os.killpg(0, farewell)
    deadline = time.monotonic() + grace
    while is_alive(command_pid) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    os.killpg(0, signal.SIGKILL)


def leave_watcher(farewell: signal.Signals, grace: float) -> None:
    """Start the watcher as nobody's child, so that the command never reaps a process it does not know."""
    command_pid = os.getpid()
    first = os.fork()
    if first == 0:
        if os.fork() == 0:
            watch(command_pid, farewell, grace)
        os._exit(0)
    os.waitpid(first, 0)


def become(user: str) -> None:
    """Give up this process's rights for those of `uid:gid`."""
    if user == "-":
        return
    uid, gid = (int(part) for part in user.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    """Leave the watcher, then become the command."""
    farewell, grace, user, _, *command = arguments
    if os.getpgrp() != os.getpid():
        os.setsid()
    leave_watcher(signal.Signals[farewell], float(grace))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    become(user)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
