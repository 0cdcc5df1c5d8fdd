"""Run a stage of the sample: `python -m infra.bench.sample work|ask`.

BENCH_PIPELINE gives each run a pipeline of its own; BENCH_NOTES is the file in which calls are noted. SIGUSR1 has it
say where each of its threads is: without that, a process that hangs tells nothing.
"""

import faulthandler
import os
import signal
import sys
from dataclasses import replace

from infra.bench.sample.pipeline import alone, ask, work
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    handler = {"work": work, "ask": ask}[sys.argv[1]]
    serve(replace(alone(handler.stage), name=os.environ["BENCH_PIPELINE"]), handler)
