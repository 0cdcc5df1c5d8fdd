"""Which names of settings are known, and where a value comes from. Pure: it is handed the environment and the file."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

PREFIX = "PENSTOCK_"
LEVEL = "__"

PROVIDERS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GEMINI_API_KEY")
"""Variables by which somebody has a provider of models; their names are the providers' own."""

ELSEWHERE = re.compile(
    r"PENSTOCK_(CONFIG|CHAOS|CRASH_AT|MODELSIM_[A-Z_]+"
    # What Kubernetes puts into every container for a Service whose name begins with `penstock-`.
    r"|.*_SERVICE_(HOST|PORT).*|.*_PORT_\d+_(TCP|UDP).*)"
)
"""Variables that are read elsewhere, or that nobody has set on purpose."""

Known = Mapping[str, Collection[str] | None]
"""Setting to the names below it: none where it is a plain value; None where any name may stand there."""


class Origin(StrEnum):
    """Where a value comes from, the weakest first."""

    DEFAULT = "default"
    STARTED = "penstock up"
    FILE = "penstock.toml"
    ENVIRONMENT = "environment"


def origin(name: str, environment: Mapping[str, str], file: Mapping[str, Any], started: Mapping[str, Any]) -> Origin:
    """Where the setting, levels separated by dots, has its value from."""
    variable = PREFIX + name.upper().replace(".", LEVEL)
    upper = {key.upper() for key in environment}
    if variable in upper or variable.partition(LEVEL)[0] in upper:
        return Origin.ENVIRONMENT
    if inside(name, file):
        return Origin.FILE
    return Origin.STARTED if inside(name, started) else Origin.DEFAULT


def inside(name: str, levels: Mapping[str, Any]) -> bool:
    """Whether the nested mapping has the dotted name."""
    head, _, rest = name.partition(".")
    if head not in levels:
        return False
    return not rest or (isinstance(levels[head], Mapping) and inside(rest, levels[head]))


def unknown(environment: Mapping[str, str], file: Mapping[str, Any], known: Known) -> Iterator[str]:
    """A sentence for each name that nobody knows, with the nearest that somebody does."""
    variables = list(_variables(known))
    for variable, value in sorted(environment.items()):
        upper = variable.upper()
        if not upper.startswith(PREFIX) or ELSEWHERE.fullmatch(upper) or value.startswith(("tcp://", "udp://")):
            continue
        head, _, rest = upper.removeprefix(PREFIX).partition(LEVEL)
        if not _knows(known, head.lower(), rest.lower()):
            yield f"{variable} is no setting" + _nearest(upper, variables)
    names = [name.removeprefix(PREFIX).lower().replace(LEVEL, ".") for name in variables]
    for head, value in file.items():
        for rest in value if isinstance(value, Mapping) and head in known else [""]:
            if not _knows(known, head, rest):
                name = f"{head}.{rest}" if rest else head
                yield f"{name} in the settings file is no setting" + _nearest(name, names)


def _knows(known: Known, head: str, rest: str) -> bool:
    if head not in known:
        return False
    below = known[head]
    return below is None or not rest or rest.partition(LEVEL)[0] in below


def _variables(known: Known) -> Iterator[str]:
    for head, below in known.items():
        yield PREFIX + head.upper()
        yield from (f"{PREFIX}{head}{LEVEL}{name}".upper() for name in below or ())


def _nearest(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, names, 1, 0.7)
    return f": did you mean {near[0]}?" if near else ": `penstock config` lists them"
