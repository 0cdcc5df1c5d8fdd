"""The shipped pipeline under names of a run's own, with topics and rows of its own: `…insights.pipelines:p1a2b3c4`."""

from dataclasses import replace

from shared.core.graph import Pipeline
from shared.pipelines.documents import DOCUMENTS


def named(name: str) -> Pipeline:
    """The shipped pipeline under that name; a third of its partitions are plenty on one machine."""
    return replace(DOCUMENTS, name=name, partitions=4)


def setting(pipeline: Pipeline) -> dict[str, str]:
    """What a service is told so that it works on it."""
    return {"PENSTOCK_PIPELINE": f"{__name__}:{pipeline.name}"}


def __getattr__(name: str) -> Pipeline:
    if name.startswith("_"):
        raise AttributeError(name)
    return named(name)
