"""Answers that only look like one: values that stand for no value, and the schema given back instead of filled in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

PLACEHOLDER = re.compile(
    r"[\s\-–—_.…?/*]*|n\.?/?a\.?|null|none|nil|undefined|unknown|string|text|value|number|todo|tbd|lorem ipsum.*"
    r"|example|sample|missing|not (?:available|applicable|found|given|stated|specified|provided|mentioned)"
    r"|no (?:data|value|information)"
    r"|keine angabe|unbekannt|nicht angegeben|k\.? ?a\.?|inconnu|non (?:spécifié|précisé|disponible|trouvé)|néant"
    r"|desconocido|no (?:disponible|especificado|consta)|sin datos|<[^<>]*>|\{[^{}]*\}|\[[^\[\]]*\]",
    re.IGNORECASE,
)
"""What models write where they have nothing."""


def is_empty(value: Any) -> bool:
    """The value says nothing."""
    if isinstance(value, str):
        return len(value) <= 60 and PLACEHOLDER.fullmatch(value.strip()) is not None
    if isinstance(value, Mapping):
        return all(is_empty(part) for part in value.values())
    return value is None or (isinstance(value, list | tuple) and all(is_empty(part) for part in value))


def repeats_schema(content: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """The object is the schema itself, or says of its fields what the schema says of them."""
    own = schema.get("properties", {})
    if isinstance(content.get("properties"), Mapping) and "properties" not in own:
        return True
    told = set(_told(schema))
    said = [value for value in content.values() if isinstance(value, str | Mapping) and not is_empty(value)]
    copied = [value for value in said if (value in told if isinstance(value, str) else _is_schema(value))]
    return bool(copied) and 2 * len(copied) >= len(said)


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping) and ("description" in value or "anyOf" in value) and "type" in value


def _told(schema: Any) -> Iterator[str]:
    """Every description in a schema."""
    if isinstance(schema, Mapping):
        description = schema.get("description")
        if isinstance(description, str):
            yield description
        for part in schema.values():
            yield from _told(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _told(part)
