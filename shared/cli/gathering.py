"""Options that several verbs share, written once: a verb is handed what they mean together."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any


def gathering(name: str, make: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb the options that `make` takes; what it makes of them the verb is handed as `name`."""
    options = inspect.signature(make, eval_str=True).parameters

    def give(verb: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(verb, eval_str=True)
        own = [parameter for parameter in signature.parameters.values() if parameter.name != name]

        @wraps(verb)
        def run(*given: Any, **named: Any) -> Any:
            taken = {option: named.pop(option) for option in options}
            return verb(*given, **{name: make(**taken)}, **named)

        # By name only: so options with a default may stand before those of the verb that have none.
        every = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *options.values())]
        run.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in every} | {"return": signature.return_annotation}
        return run

    return give
