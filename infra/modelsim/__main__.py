"""`python -m infra.modelsim`: the simulated provider as a process.

PENSTOCK_MODELSIM_PORT (0: a free one), PENSTOCK_MODELSIM_HOST, PENSTOCK_MODELSIM_LATENCY_MS; where a supervisor sets
PENSTOCK_HEALTH_PORT, its health is there too, as every service's is.
"""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

from infra.modelsim.app import ModelSim
from infra.modelsim.server import serving

HOST = os.environ.get("PENSTOCK_MODELSIM_HOST") or "127.0.0.1"


def number(name: str, default: int, most: int) -> int:
    """A setting that is a number; ends the process with a sentence where it is none."""
    value = os.environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or int(value) > most:
        sys.exit(f"{name} = {value!r}: set a whole number from 0 to {most}")
    return int(value)


async def main(port: int, health_port: int, latency: float) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(told, stop.set)
    sim = ModelSim(latency=latency)
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serving(sim, port, HOST))
        if health_port:
            await stack.enter_async_context(serving(sim, health_port))
        print(f"modelsim listening on {address}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    chosen = number("PENSTOCK_MODELSIM_PORT", 0, 65_535)
    try:
        latency = number("PENSTOCK_MODELSIM_LATENCY_MS", 150, 600_000) / 1000
        asyncio.run(main(chosen, number("PENSTOCK_HEALTH_PORT", 0, 65_535), latency))
    except OSError as error:
        sys.exit(f"modelsim cannot listen on {HOST}:{chosen}: {error.strerror}: choose another PENSTOCK_MODELSIM_PORT")
