"""`penstock config`: every setting, its value, and where it came from; secrets masked."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from shared.cli.exits import Exit
from shared.cli.handlers import handler_of, settings_of
from shared.cli.talk import Json, data, table
from shared.core.errors import Misconfigured
from shared.pipelines.named import named_pipeline
from shared.setting_names import LEVEL, PREFIX, origin
from shared.settings import SERVICES, Settings, embedded, known_names, load, own_settings, toml_file

SECRET = re.compile(r"password|secret|token|credential|(^|[._])key($|[._])|sasl[._]jaas", re.IGNORECASE)
"""Names whose values nobody may see."""
USERINFO = re.compile(r"(?<=://)[^/@]*:[^/@]*(?=@)")
MASK = "***"


def config(as_json: Json = False) -> Exit:
    """Show every setting and where it came from; an unknown one is an error."""
    rows = list(settings_in_force())
    if as_json:
        data(rows)
    else:
        table(("setting", "value", "from"), [[row["setting"], row["value"], row["from"]] for row in rows])
    return Exit.DONE


def settings_in_force() -> Iterator[dict[str, Any]]:
    """Every setting as this process has it, and what is set of the services' own."""
    settings, file = load(), toml_file()
    started = embedded(settings.home)
    values = dict(flat(settings.model_dump()))
    kinds = kinds_of(settings)
    for service in known_names(settings.pipeline):
        if service not in type(settings).model_fields:
            if kind := kinds.get(service):
                values |= dict(flat(own_settings(kind, service).model_dump(), f"{service}."))
            values |= own_of(service, file)
    for name, value in values.items():
        where = origin(name, os.environ, file, started)
        yield {"setting": name, "value": masked(name, value), "from": where.value}


def kinds_of(settings: Settings) -> dict[str, Any]:
    """Service to the class of its own settings, for those that have one and can be found from here."""
    found = {service: kind for service in SERVICES if (kind := settings_of(service, settings))}
    for stage in named_pipeline(settings.pipeline).stages:
        with contextlib.suppress(Misconfigured):
            if kind := handler_of(stage, settings).settings:
                found[stage.name] = kind
    return found


def flat(levels: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted name."""
    for name, value in levels.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def own_of(service: str, file: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of a service's own settings, as it was set."""
    variable = f"{PREFIX}{service.upper()}{LEVEL}"
    own = dict(flat(given, f"{service}.")) if isinstance(given := file.get(service, {}), Mapping) else {}
    for name, value in os.environ.items():
        if name.upper().startswith(variable):
            own[f"{service}.{name[len(variable) :].lower()}"] = value
    return own


def masked(name: str, value: Any) -> str:
    """The value as anybody may see it."""
    text = str(value.get_secret_value() if isinstance(value, SecretStr) else value)
    # Of an address only the password is secret; headers for a receiver of spans are secret as a whole.
    whole = isinstance(value, SecretStr) and "://" not in text
    if text and (whole or SECRET.search(name)):
        return MASK
    return USERINFO.sub(MASK, text)
