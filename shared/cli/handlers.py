"""Finds the handlers of a pipeline's stages."""

import shlex
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from pydantic import BaseModel

from shared.core.errors import Misconfigured
from shared.core.stage import Handler, Stage
from shared.settings import Settings


def handler_of(stage: "Stage[object, object]", settings: Settings) -> Handler:
    """The stage's handler. Raises Misconfigured naming where it was looked for."""
    package = package_of(stage.name, settings)
    for name in (f"{package}.stage", package):
        if exists(name):
            for value in vars(import_module(name)).values():
                if isinstance(value, Handler) and value.stage.name == stage.name:
                    return value
    raise Misconfigured(
        f"{package}.stage has no handler of {stage.name}: put it there, or say in penstock.toml where the service is:"
        f' [commands] {stage.name} = "python -m your.package"'
    )


def settings_of(service: str, settings: Settings) -> type[BaseModel] | None:
    """The class of a service's own settings, where it is no stage: `…Settings` in its module of that name."""
    if not exists(module := f"{package_of(service, settings)}.settings"):
        return None
    named = [value for name, value in vars(import_module(module)).items() if name.endswith("Settings")]
    return next((value for value in named if value.__module__ == module and issubclass(value, BaseModel)), None)


def package_of(service: str, settings: Settings) -> str:
    """The package that a service's command runs."""
    words = shlex.split(settings.commands.get(service, ""))
    return words[words.index("-m") + 1] if "-m" in words[:-1] else f"services.{service}"


def exists(module: str) -> bool:
    """Whether there is such a module."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def handlers_of(stages: "Iterable[Stage[object, object]]", settings: Settings) -> list[Handler]:
    """The handlers of several stages."""
    return [handler_of(stage, settings) for stage in stages]
