"""Check the machine, then install what the lock files name into `.venv`; a second run has nothing to do.

This file alone must be readable by any Python 3, so that an old one can say that it is too old.
"""

import signal
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(
        "set-up: Penstock runs on Python 3.11 to 3.14, this is {}.{} ({}).\n"
        "  Install a newer one (apt install python3.12 python3.12-venv, brew install python@3.13), then `make setup "
        "PYTHON=python3.12`.".format(*sys.version_info[:2], sys.executable)
    )

from infra.setup.steps import SetupFailed, set_up

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        set_up()
    except SetupFailed as failure:
        sys.exit(f"set-up: {failure}")
    except KeyboardInterrupt:
        sys.exit("set-up: interrupted; the next run goes on from here")
