"""`penstock up`, `scale`, `down`, `ps`: a local installation and its processes."""

import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from infra import local
from shared.cli.exits import Exit, Stop
from shared.cli.plan import door, plan_for
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, PipelineName, data, say, table
from shared.settings import load

HEALTH_SECONDS = 1.0

Counts = Annotated[list[str] | None, typer.Option("--scale", metavar="STAGE=N", help="Processes of a service.")]


def up(
    scale: Counts = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything has been started.")] = False,
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Start what is not set: Kafka, Redis, PostgreSQL, and every service. Without --detach it runs until Ctrl-C."""
    if pipeline:
        os.environ["PENSTOCK_PIPELINE"] = pipeline  # the services read it there
    session = open_session()
    home = session.settings.home
    with local_errors():
        counts = dict(count_of(text) for text in scale or ())
        if running := local.ps(home):
            return tell_up(session, local.endpoints(home), running, started=False, as_json=as_json)
        plan = plan_for(session.settings, session.pipeline, counts, os.environ)
        if not detach:
            tell_door(session, as_json)
            local.up(plan, home, detach=False, report=say)
            return Exit.DONE
        status = local.up(plan, home, detach=True, report=say)
        return tell_up(session, status.endpoints, status.processes, status.started, as_json)


def scale(
    counts: Annotated[list[str], typer.Argument(metavar="STAGE=N…", help="Service, and how many processes.")],
    as_json: Json = False,
) -> Exit:
    """Set how many processes a service has; those that leave finish what they have begun."""
    home = load().home
    with local_errors():
        wanted = [count_of(text) for text in counts]
        done = [{"service": name, "before": local.scale(home, name, count), "count": count} for name, count in wanted]
    if as_json:
        data(done)
    else:
        table(("service", "before", "now"), [list(each.values()) for each in done])
    return Exit.DONE


def down(as_json: Json = False) -> Exit:
    """Stop everything that `up` started; returns when no process is left."""
    home = load().home
    with local_errors():
        stopped = local.down(home)
    if as_json:
        data({"stopped": stopped})
    else:
        print("everything has stopped" if stopped else f"nothing ran in {home}")
    return Exit.DONE


def ps(as_json: Json = False) -> Exit:
    """Show the processes, what they own, and what they say of their health."""
    home = load().home
    with local_errors():
        processes = local.ps(home)
    with ThreadPoolExecutor(16) as pool:
        healths = list(pool.map(health_of, processes))
    rows = [shown(process) | health for process, health in zip(processes, healths, strict=True)]
    if as_json:
        data(rows)
    elif rows:
        columns = ("service", "instance", "pid", "state", "ready", "uptime", "restarts", "health", "partitions")
        table(columns, [[brief(row[column]) for column in columns] for row in rows])
        for row in rows:
            if row["paused"]:
                print(f"{row['instance']}: paused: `penstock resume {row['service']}` lets it go on")
            for guarantee, why in row["weaker"].items():
                print(f"{row['instance']}: weaker meanwhile: {guarantee}: {why}")
    else:
        print(f"nothing runs in {home}: start it with `penstock up`")
    return Exit.DONE


def count_of(text: str) -> tuple[str, int]:
    """STAGE=N as a pair."""
    name, _, number = text.partition("=")
    if not name or not number.isdecimal():
        raise Stop(Exit.USAGE, f"{text!r}: write STAGE=N, such as analyze=3")
    return name, int(number)


def tell_door(session: Session, as_json: bool) -> None:
    """Where documents are handed in."""
    address = door(session.settings.home, os.environ)
    topic = session.pipeline.topics(session.pipeline.first).input
    if as_json:
        data({"ingest": address, "topic": topic})
    else:
        print(f"documents: POST {address}, `penstock publish`, or any client on topic {topic}", flush=True)


def tell_up(
    session: Session,
    endpoints: local.Endpoints | None,
    processes: Sequence[local.ServiceProcess],
    started: bool,
    as_json: bool,
) -> Exit:
    """What runs now."""
    if as_json:
        parts = {
            name: address.rpartition("@")[2]
            for name, address in asdict(endpoints or local.Endpoints()).items()
            if address
        }
        address = door(session.settings.home, os.environ)
        data({"started": started, "ingest": address, "parts": parts, "processes": [shown(p) for p in processes]})
        return Exit.DONE
    print(f"{len(processes)} processes run" + ("" if started else " already") + ": `penstock ps` shows them")
    tell_door(session, as_json)
    return Exit.DONE


def shown(process: local.ServiceProcess) -> dict[str, Any]:
    """A process as `ps` shows it."""
    return {
        "service": process.service,
        "instance": process.name,
        "part": process.part,
        "pid": process.pid,
        "state": process.state,
        "uptime": round(process.seconds, 1),
        "restarts": process.restarts,
        "last_exit": process.last_exit,
        "health": f"http://127.0.0.1:{process.health_port}/health/ready" if process.health_port else "",
        "log": process.log,
    }


def health_of(process: local.ServiceProcess) -> dict[str, Any]:
    """What the process says of itself; nothing where it does not answer at once."""
    nothing: dict[str, Any] = {"ready": None, "partitions": [], "paused": False, "weaker": {}}
    if not process.health_port or process.state != "running":
        return nothing
    try:
        with urllib.request.urlopen(shown(process)["health"], timeout=HEALTH_SECONDS) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return nothing | {"ready": False if error.code == 503 else None}
    except (OSError, ValueError):
        return nothing
    return {name: said.get(name, default) for name, default in nothing.items()}


def brief(value: object) -> object:
    """A value as it stands in the table."""
    if isinstance(value, list):
        return len(value) or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


@contextmanager
def local_errors() -> Iterator[None]:
    """Turn what the supervisor refuses into the end of the command."""
    try:
        yield
    except local.LocalError as error:
        raise Stop(Exit.FAILED, str(error)) from error
