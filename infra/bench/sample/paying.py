"""The one door through which the sample's paid calls go: where results are recorded, they are recorded here."""

from collections.abc import Awaitable, Callable

from shared.core.context import Context

RECORDS = False
"""Whether a result that `pay` has given is recorded, and its call therefore must never be made again."""


async def pay(ctx: Context, key: str, make: Callable[[], Awaitable[int]]) -> int:
    """The result of a paid call; `key` names the call among those of the document."""
    return await make()
