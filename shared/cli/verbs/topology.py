"""`penstock topology`: the pipeline, drawn from its value."""

from enum import StrEnum
from typing import Annotated

import typer

from shared.cli.exits import Exit
from shared.cli.session import open_session
from shared.cli.talk import Json, PipelineName, data
from shared.core.drawing import as_json as drawn_as_json
from shared.core.drawing import as_mermaid, as_text


class Format(StrEnum):
    """How it is drawn."""

    TEXT = "text"
    MERMAID = "mermaid"
    JSON = "json"


def topology(
    form: Annotated[Format, typer.Option("--format", help="How to draw it.")] = Format.TEXT,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Draw the pipeline: stages, edges with their conditions, failure routes."""
    value = open_session(pipeline).pipeline
    if as_json or form is Format.JSON:
        data(drawn_as_json(value))
    else:
        print(as_mermaid(value) if form is Format.MERMAID else as_text(value))
    return Exit.DONE
