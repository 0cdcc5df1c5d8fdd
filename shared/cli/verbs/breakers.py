"""`penstock breakers`: the circuit breakers of all dependencies, as the registry knows them."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.talk import Json, data, table
from shared.core.breaker import PAUSES, BreakerEvent, BreakerPolicy
from shared.core.errors import Unavailable
from shared.ports import BreakerReport
from shared.settings import load
from shared.state.breakers import RedisBreakers

APP = typer.Typer(add_completion=False, rich_markup_mode=None)

KEPT = 1000
"""Changes that the registry keeps."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="Breaker, such as model:sim-large.")]


@APP.callback(invoke_without_command=True)
def breakers(ctx: typer.Context, as_json: Json = False) -> Exit | None:
    """Show the circuit breakers; trip or reset one by hand."""
    if ctx.invoked_subcommand:
        return None
    tell(asyncio.run(reports()), as_json)
    return Exit.DONE


@APP.command()
def trip(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the others.")] = "no reason given",
    as_json: Json = False,
) -> Exit:
    """Open a breaker everywhere; it stays open until it is reset."""

    refuse_pauses(name)

    async def act() -> Sequence[BreakerReport]:
        async with registry() as known:
            await known.trip(name, reason)
            return [report for report in await known.reports() if report.name == name]

    tell(asyncio.run(act()), as_json)
    return Exit.DONE


@APP.command()
def reset(name: Name, as_json: Json = False) -> Exit:
    """Close a breaker everywhere."""
    refuse_pauses(name)

    async def act() -> Sequence[BreakerReport]:
        async with registry() as known:
            names = [report.name for report in of_dependencies(await known.reports())]
            if name not in names:
                raise Stop(Exit.NOT_FOUND, f"breaker {name}: there is none; known are {', '.join(names) or 'none'}")
            await known.reset(name)
            return [report for report in await known.reports() if report.name == name]

    tell(asyncio.run(act()), as_json)
    return Exit.DONE


@APP.command()
def events(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One breaker alone.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 20,
    as_json: Json = False,
) -> Exit:
    """Show what changed when and why, also what is long past."""

    async def kept() -> Sequence[BreakerEvent]:
        async with registry() as known:
            return await known.events(KEPT)

    found = [one for one in asyncio.run(kept()) if name in ("", one.name) and not one.name.startswith(PAUSES)][:limit]
    if as_json:
        data([asdict(one) for one in found])
    else:
        table(("at", "name", "state", "reason"), [(one.at, one.name, one.state, one.reason) for one in found])
    return Exit.DONE


async def reports() -> Sequence[BreakerReport]:
    """Every breaker the registry knows."""
    async with registry() as known:
        return of_dependencies(await known.reports())


def of_dependencies(found: Sequence[BreakerReport]) -> list[BreakerReport]:
    """Those that guard something; the registry also keeps which stages are paused."""
    return [report for report in found if not report.name.startswith(PAUSES)]


def refuse_pauses(name: str) -> None:
    """Raise Stop for what is no breaker of a dependency."""
    if name.startswith(PAUSES):
        raise Stop(Exit.USAGE, f"{name} is no breaker but a stage: use `penstock pause` and `penstock resume`")


@asynccontextmanager
async def registry() -> AsyncIterator[RedisBreakers]:
    """The registry. Raises Unavailable: what this process alone believes of the breakers is no answer."""
    settings = load()
    url = settings.redis_url.get_secret_value()
    if not url:
        raise Unavailable("redis", "no Redis is known: start one with `penstock up`, or set PENSTOCK_REDIS_URL")
    policy = BreakerPolicy(threshold=settings.breaker.threshold, recovery=settings.breaker.recovery)
    async with RedisBreakers(url, policy, getpass.getuser()) as known:
        if not known.healthy:
            raise Unavailable("redis", f"{known.health}: start that Redis, then try again")
        yield known


def tell(found: Sequence[BreakerReport], as_json: bool) -> None:
    """Show them."""
    if as_json:
        data([asdict(report) for report in found])
        return
    columns = ("name", "state", "since", "failures", "useless", "calls", "reopens_in", "reason")
    table(columns, [[getattr(report, column) for column in columns] for report in found])
