"""The processes of an installation, kept running: the parts, and any number of processes of each service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.local import leftovers
from infra.local.parts import STOP_ORDER, STOP_SECONDS, RunningParts
from infra.local.parts.ports import free_port
from infra.local.plan import Service
from infra.local.processes import Command, spawn
from infra.local.slots import Slot

DRAIN_SECONDS = 15.0
POLL_SECONDS = 0.05


class Fleet:
    """Every slot of one state folder, and what is done about each."""

    def __init__(self, home: Path, say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._parts: list[Slot] = []
        self._services: list[Slot] = []
        self._patience = DRAIN_SECONDS

    def adopt(self, running: RunningParts) -> None:
        """Take over the parts."""
        self._parts = [Slot(child.command, name, child=child) for name, child in running.children.items()]
        self._note()

    def scale(self, service: Service, count: int, environment: Mapping[str, str]) -> int:
        """Make it `count` processes of a service, the highest numbers leaving first; give how many there were."""
        slots = [slot for slot in self._services if slot.service == service.name]
        staying = sorted((slot for slot in slots if slot.leaving_by is None), key=lambda slot: slot.number)
        taken = {slot.number for slot in slots}
        free = (number for number in range(1, count + len(taken) + 1) if number not in taken)
        for _ in range(count - len(staying)):
            self._services.append(self._new_slot(service, next(free), environment))
        self._ask_to_leave(staying[count:])
        return len(staying)

    def tick(self) -> None:
        """Start what is due, note what has ended, kill what was to leave and did not."""
        now = time.monotonic()
        changes = [self._look_after(slot, now) for slot in [*self._parts, *self._services]]
        if any(changes):
            self._note()

    async def stop(self) -> None:
        """Drain the services, stop the parts in order, and wait until no process of theirs is left."""
        groups = {slot.child.pid for slot in [*self._parts, *self._services] if slot.child}
        self._ask_to_leave(slot for slot in self._services if slot.leaving_by is None)
        while self._services:
            latest = time.monotonic() + self._patience
            for slot in self._services[:]:
                slot.leaving_by = min(latest, slot.leaving_by or latest)
                self._look_after(slot, time.monotonic())
            await asyncio.sleep(POLL_SECONDS)
        for slot in sorted(self._parts, key=lambda part: STOP_ORDER.index(part.service)):
            if slot.child:
                self._say(f"stopping {slot.name}")
                await asyncio.to_thread(slot.child.stop, STOP_SECONDS)
        await asyncio.to_thread(leftovers.wait_until_gone, groups)
        leftovers.record(self._home, ())

    def hurry(self) -> None:
        """Stop waiting for services to drain."""
        self._patience = 0.0

    def describe(self) -> list[dict[str, Any]]:
        """Give what is to be known about each process."""
        return [self._describe(slot) for slot in [*self._parts, *self._services]]

    def _new_slot(self, service: Service, number: int, environment: Mapping[str, str]) -> Slot:
        name = f"{service.name}-{number}"
        port = free_port(avoid=[slot.health_port or 0 for slot in self._services])
        own = {"PENSTOCK_INSTANCE": name, "PENSTOCK_HEALTH_PORT": str(port)}
        command = Command(name, service.command, self._home / "logs" / f"{name}.log", {**environment, **own})
        return Slot(command, service.name, number, port)

    def _look_after(self, slot: Slot, now: float) -> bool:
        """Bring one process nearer to what it should be; tell whether its slot now holds another one, or none."""
        if slot.child is not None:
            code = slot.child.exit_code()
            if code is None:
                if slot.leaving_by is not None and now >= slot.leaving_by:
                    slot.child.kill()
                return False
            slot.ended(code, now)
            if slot.leaving_by is None:
                self._say(f"{slot.name} ended: {slot.last_exit}; it is started again in {slot.delay:.1f} s")
        if slot.leaving_by is not None:
            self._services.remove(slot)
            self._say(f"{slot.name} has stopped: {slot.last_exit}")
            return True
        if now >= slot.due:
            slot.child = spawn(slot.command)
            return True
        return False

    def _ask_to_leave(self, slots: Iterable[Slot]) -> None:
        for slot in slots:
            slot.leaving_by = time.monotonic() + self._patience
            if slot.child:
                slot.child.ask_to_stop()

    def _note(self) -> None:
        leftovers.record(self._home, [slot.child for slot in [*self._parts, *self._services] if slot.child])

    def _describe(self, slot: Slot) -> dict[str, Any]:
        return {
            "name": slot.name,
            "service": slot.service,
            "part": slot in self._parts,
            "state": slot.state,
            "pid": slot.child.pid if slot.child else None,
            "seconds": round(time.monotonic() - slot.child.started, 1) if slot.child else 0.0,
            "restarts": slot.restarts,
            "last_exit": slot.last_exit,
            "health_port": slot.health_port,
            "log": str(slot.command.log),
        }
