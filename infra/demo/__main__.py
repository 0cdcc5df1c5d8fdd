"""The demo: the main job on the sample documents, then each thing Penstock is used for. `make demo`."""

import sys

from infra.demo.run import demo

if __name__ == "__main__":
    sys.exit(demo())
