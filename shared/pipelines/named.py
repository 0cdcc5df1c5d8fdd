"""A pipeline by the name that a setting or an option gives it: module:NAME."""

import importlib
import sys
from pathlib import Path

from shared.core.errors import Misconfigured
from shared.core.graph import Pipeline


def named_pipeline(name: str) -> Pipeline:
    """The pipeline called module:NAME. Raises Misconfigured."""
    module, _, attribute = name.partition(":")
    # An installed command does not see the folder it is called in, and there a team's own pipeline lies.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Misconfigured(
            f"pipeline {name!r}: {error}; write module:NAME, for example shared.pipelines.documents:DOCUMENTS"
        ) from error
    if not isinstance(found, Pipeline):
        raise Misconfigured(f"pipeline {name!r} is a {type(found).__name__}: name a Pipeline")
    return found
