"""Fetch the jars of Kafka with the environment's Python; with `--lock`, choose them anew and pin them first."""

import sys

from infra.local.parts.jars import class_path, write_lock
from infra.local.processes import LocalError

if __name__ == "__main__":
    try:
        if "--lock" in sys.argv:
            write_lock()
        class_path(lambda line: print(line, flush=True))
    except LocalError as error:
        sys.exit(str(error))
