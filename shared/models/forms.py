"""The forms in which a model can be asked for JSON: not every model, and not every server, understands each of them.

json_schema   the wire's own structured output: the provider holds the answer to the schema
tools         one tool that must be used, whose input has the schema
text          words alone: the schema stands in the instructions; for servers that know neither of the others
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """How a model is asked for JSON by a schema; the value is what the model registry says."""

    JSON_SCHEMA = "json_schema"
    TOOLS = "tools"
    TEXT = "text"


USUAL: Mapping[str, Form] = {"openai": Form.JSON_SCHEMA, "anthropic": Form.TOOLS, "local": Form.TEXT}
"""Wire to the form that it has where the registry says nothing."""

SPELLED = "Respond only with JSON, without any other words. The JSON must fit this JSON schema:"
"""Begins the schema in the instructions."""


def spelled_out(system: str, schema: Mapping[str, Any]) -> str:
    """Instructions that hold the schema."""
    return f"{system}\n\n{SPELLED}\n{json.dumps(schema, ensure_ascii=False, sort_keys=True)}"
