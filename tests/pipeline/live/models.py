"""Model registries of a test's own."""

from pathlib import Path

from infra.bench.registry import write_registry


def settings(folder: Path, *models: str) -> dict[str, str]:
    """What a process is told so that it asks just these models, in this order."""
    return write_registry(folder / "models.toml", {"analyst": models})
