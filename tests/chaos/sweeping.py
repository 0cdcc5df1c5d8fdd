"""A janitor as a process: `python -m tests.chaos.sweeping`, again and again until it is killed."""

import sys

from shared.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["janitor", "--json"]))
