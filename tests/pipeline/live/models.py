"""Model registries of a test's own: a chain of simulated models whose names nobody else uses, so nor their breakers."""

from pathlib import Path

HEAD = """
[providers.sim]
wire = "openai"
base_url_env = "PENSTOCK_MODELSIM_URL"
base_path = "/v1"
needs = ["PENSTOCK_MODELSIM_URL"]
simulated = true
timeout = 20
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


def settings(folder: Path, *models: str) -> dict[str, str]:
    """What a process is told so that it asks just these models, in this order."""
    file = folder / "models.toml"
    chain = ", ".join(f'"{name}"' for name in models)
    file.write_text(HEAD + "".join(MODEL.format(name=name) for name in models) + f"\n[chains]\nanalyst = [{chain}]\n")
    return {"PENSTOCK_MODELS_FILE": str(file)}
