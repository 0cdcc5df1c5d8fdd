"""Model registries of one's own: chains of simulated models whose names nobody else uses, so nor their breakers."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

HEAD = """
[providers.sim]
wire = "openai"
base_url_env = "PENSTOCK_MODELSIM_URL"
base_path = "/v1"
needs = ["PENSTOCK_MODELSIM_URL"]
simulated = true
timeout = {timeout}
"""
MODEL = """
[models.{name}]
provider = "sim"
context_window = 128_000
max_output = 4_000
input_usd_per_million = 2.00
output_usd_per_million = 8.00
priced_on = 2026-11-23
"""
LIMIT = """requests_per_minute = {requests}
tokens_per_minute = {tokens}
"""


def write_registry(
    file: Path, chains: Mapping[str, Sequence[str]], timeout: float = 20.0, limit: tuple[int, int] | None = None
) -> dict[str, str]:
    """Write the file; gives what a process is told so that it asks just these models, each chain's in their order.

    `limit`: requests and tokens per minute of each model.
    """
    entry = MODEL + (LIMIT.format(requests=limit[0], tokens=limit[1]) if limit else "")
    models = "".join(entry.format(name=name) for name in dict.fromkeys(chain.from_iterable(chains.values())))
    told = "\n".join(f"{name} = {json.dumps(list(names))}" for name, names in chains.items())
    file.write_text(f"{HEAD.format(timeout=timeout)}{models}\n[chains]\n{told}\n", "utf-8")
    return {"PENSTOCK_MODELS_FILE": str(file)}
