"""The tiny pipeline by the name a command asks for: `--pipeline tests.pipeline.tiny.named:tickets_1a2b`."""

from dataclasses import replace

from shared.core.graph import Pipeline
from tests.pipeline.tiny.pipeline import TICKETS


def __getattr__(name: str) -> Pipeline:
    if name.startswith("_"):
        raise AttributeError(name)
    return replace(TICKETS, name=name)
