"""One step inside a handler, made once: `ctx.once(key, make)`."""

import secrets
import time
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from shared.core.delivery import Delivery
from shared.core.errors import Failed, PenstockError
from shared.core.failures import Failure
from shared.core.ledger import Intent, Recorded, Scope, State, once_fingerprint, operation_of
from shared.core.settle import Place
from shared.ports import Ledger

V = TypeVar("V")


def scope_of(place: Place, delivery: Delivery, event: Any) -> Scope:
    """Whose work a record is; None for the event of a batch, whose records are of many documents and tenants."""
    return Scope(
        pipeline=place.pipeline.name,
        stage=place.stage.name,
        tenant="" if event is None else place.pipeline.tenant(event),
        document_id="" if event is None else event.document_id,
        operation=operation_of(delivery),
    )


async def once(
    ledger: Ledger, scope: Scope, content: bytes, key: str, make: Callable[[], Awaitable[V]], kind: type[V] | None
) -> V:
    """The recorded value of the step, or the one that `make` gives now, recorded.

    1. The intent is noted.
    2. `make` runs.
    3. Its value is recorded; only then does the handler get it.
    """
    intent = Intent(once_fingerprint(scope, content, key), scope, key, "", secrets.randbits(63))
    begun = await ledger.begin(intent)  # 1
    if begun.found is not None and begun.found.state is State.ACCEPTED:
        recorded: V = _value(begun.found.result, key, kind)
        return recorded
    began = time.monotonic()
    try:
        text = _text(await make(), key, kind)  # 2
    except Exception as error:
        # Told, so that the next try is no repeat of a step whose end nobody knows.
        await ledger.end(Recorded(intent, State.FAILED, failure=_class(error), milliseconds=_since(began)))
        raise
    stands = await ledger.end(Recorded(intent, State.ACCEPTED, text, milliseconds=_since(began)))  # 3
    value: V = _value(stands.result, key, kind)
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _text(value: Any, key: str, kind: Any) -> str:
    try:
        return (to_json(value) if kind is None else _adapter(kind).dump_json(value, warnings="error")).decode()
    except (PydanticSerializationError, ValueError) as error:
        raise _unfit(key, kind, error) from error


def _value(text: str, key: str, kind: Any) -> Any:
    """The value as JSON gives it back, also at the first time: else a handler would see another one after a crash."""
    try:
        return from_json(text) if kind is None else _adapter(kind).validate_json(text)
    except (ValidationError, ValueError) as error:
        raise _unfit(key, kind, error) from error


def _unfit(key: str, kind: Any, error: Exception) -> Failed:
    wanted = "JSON" if kind is None else f"a {getattr(kind, '__name__', kind)}"
    said = " ".join(str(error).split())[:300]
    return Failed(
        Failure.INTERNAL,
        f"once({key!r}): its value is not {wanted} ({said}): mend it, change kind=…, or give it another key",
    )


def _class(error: Exception) -> str:
    if isinstance(error, Failed):
        return error.failure.value
    return type(error).__name__ if isinstance(error, PenstockError) else Failure.INTERNAL.value


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
