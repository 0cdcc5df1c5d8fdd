"""Pipelines by the name they are asked for, so that each test has topics and groups of its own.

`tests.cli.pipelines:p1a2b3c4` is the shipped pipeline under the name `p1a2b3c4`, with few partitions.
"""

from dataclasses import replace

from shared.core.graph import Pipeline
from shared.pipelines.documents import DOCUMENTS


def __getattr__(name: str) -> Pipeline:
    if name.startswith("_"):
        raise AttributeError(name)
    return replace(DOCUMENTS, name=name, partitions=2)
