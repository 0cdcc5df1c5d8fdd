"""The process that owns an installation: it starts the parts, prepares, and keeps the services running.

    lock -> parts -> prepare -> services kept running -> services drained -> parts stopped -> gone

One thread decides everything: a tick every
tenth of a second looks after the processes, and between ticks the control socket's questions are answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.local import control, leftovers
from infra.local.fleet import Fleet
from infra.local.parts import Endpoints, start_parts
from infra.local.plan import Plan, check_count
from infra.local.processes import Command, LocalError, last_lines, spawn
from infra.local.slots import exit_reason

TICK_SECONDS = 0.1
PREPARE_SECONDS = 300.0


class Supervisor:
    """Runs one plan in one state folder until it is told to stop."""

    def __init__(self, home: Path, plan: Plan, report: Callable[[str], None]) -> None:
        self._home = home
        self._plan = plan
        self._report = report
        self._fleet = Fleet(home, self._say)
        self._endpoints = Endpoints()
        self._state = "starting"
        self._said: list[str] = []
        self._stopping = False

    def stop(self) -> None:
        """Begin to stop; a second time, do not wait for the services to drain."""
        if self._stopping:
            self._fleet.hurry()
        self._stopping = True

    async def run(self) -> None:
        """Bring the plan about and keep it until `stop`; returns when no process is left."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o711)
        lock = control.Lock(self._home)
        if not lock.take():
            raise LocalError(
                f"another supervisor runs in {self._home}: `penstock ps` shows it, `penstock down` ends it"
            )
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(asked, self.stop)
        leftovers.end_leftovers(self._home, self._say)
        server = await asyncio.start_unix_server(self._answer, sock=control.make_socket(self._home))
        try:
            await self._bring_up()
            # Nobody could ever end it again once its state folder has been removed.
            while not self._stopping and self._home.is_dir():
                self._fleet.tick()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            self._state = "stopping"
            (self._home / "endpoints.json").unlink(missing_ok=True)
            await self._fleet.stop()
            self._say("everything has stopped")
            server.close()
            control.remove_socket(self._home)
            lock.release()

    async def _bring_up(self) -> None:
        try:
            running = await asyncio.to_thread(
                start_parts, self._home, self._plan.parts, self._say, lambda: self._stopping
            )
        except LocalError:
            if self._stopping:
                return
            raise
        self._fleet.adopt(running)
        self._endpoints = running.endpoints
        self._publish_endpoints()
        self._state = "preparing"
        for command in self._plan.prepare:
            await self._prepare(command)
        if self._stopping:
            return
        for service in self._plan.services:
            self._fleet.scale(service, service.count, self._environment(service.environment))
        self._fleet.tick()
        self._say(f"{sum(service.count for service in self._plan.services)} service processes started")
        self._state = "running"

    def _publish_endpoints(self) -> None:
        file = self._home / "endpoints.json"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self._endpoints), indent=1))

    async def _prepare(self, arguments: tuple[str, ...]) -> None:
        log = self._home / "logs" / "prepare.log"
        child = spawn(Command("prepare", arguments, log, self._environment({})))
        deadline = time.monotonic() + PREPARE_SECONDS
        code = child.exit_code()
        while code is None and not self._stopping and time.monotonic() < deadline:
            await asyncio.sleep(TICK_SECONDS / 2)
            code = child.exit_code()
        if code is None:
            child.kill()
        if code != 0 and not self._stopping:
            happened = f"did not end within {PREPARE_SECONDS:.0f} s" if code is None else exit_reason(code)
            raise LocalError(f"`{' '.join(arguments)}`: {happened}; the end of {log}:\n{last_lines(log)}")

    def _environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Give what a child sees; what the user has set wins over what is found out or planned here."""
        found = {
            "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS": self._endpoints.kafka,
            "PENSTOCK_REDIS_URL": self._endpoints.redis,
            "PENSTOCK_DATABASE_URL": self._endpoints.database,
            "PENSTOCK_BLOB_URL": (self._home / "blobs").as_uri(),
            "PYTHONUNBUFFERED": "1",
        }
        known = {name: value for name, value in found.items() if value is not None}
        return {**known, **own, **os.environ, "PENSTOCK_HOME": str(self._home)}

    def _say(self, line: str) -> None:
        # Kept for `up`, which relays what was said before everything ran; the log has the rest.
        if self._state in ("starting", "preparing"):
            self._said.append(line)
        self._report(line)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the control socket, a line at a time."""
        try:
            while line := await reader.readline():
                try:
                    answer = self._obey(json.loads(line))
                except (LocalError, AttributeError, KeyError, TypeError, ValueError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}" if str(error) else type(error).__name__}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            writer.close()

    def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        match request.get("do"):
            case "status":
                return {"state": self._state, "pid": os.getpid(), "said": self._said[int(request.get("since", 0)) :]}
            case "ps":
                return {"processes": self._fleet.describe()}
            case "env":
                return {"environment": self._environment({})}
            case "scale":
                return self._scale(str(request["service"]), int(request["count"]))
            case "stop":
                self.stop()
                return {"state": "stopping", "pid": os.getpid()}
            case unknown:
                raise LocalError(f"the supervisor cannot {unknown!r}: it can status, ps, env, scale and stop")

    def _scale(self, name: str, count: int) -> dict[str, Any]:
        service = next((each for each in self._plan.services if each.name == name), None)
        if service is None:
            known = ", ".join(each.name for each in self._plan.services) or "none"
            raise LocalError(f"no service {name!r} here; there are: {known}")
        if self._state != "running":
            raise LocalError(f"{name} cannot be scaled while the installation is {self._state}")
        check_count(name, count)
        before = self._fleet.scale(service, count, self._environment(service.environment))
        self._say(f"{name}: {before} -> {count} processes")
        return {"before": before, "count": count}
