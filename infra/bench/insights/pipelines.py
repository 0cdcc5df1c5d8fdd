"""The shipped pipeline under names of a run's own: `infra.bench.insights.pipelines:p1a2b3c4` has topics of its own."""

from dataclasses import replace

from shared.core.graph import Pipeline
from shared.pipelines.documents import DOCUMENTS


def __getattr__(name: str) -> Pipeline:
    if name.startswith("_"):
        raise AttributeError(name)
    return replace(DOCUMENTS, name=name, partitions=4)
