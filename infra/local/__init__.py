"""A local installation: the embedded parts, and the processes of the services, under one supervisor.

    plan -> up -> supervisor -> parts (Kafka, Redis, PostgreSQL), then services, each on a leash

It knows nothing of pipelines or settings: it is given commands and an environment, and works with values.
"""

from infra.local.api import ServiceProcess, Status, down, endpoints, environment, family, ps, scale, up
from infra.local.parts import Endpoints, RunningParts, start_parts
from infra.local.plan import Plan, Service
from infra.local.processes import LocalError

__all__ = [
    "Endpoints",
    "LocalError",
    "Plan",
    "RunningParts",
    "Service",
    "ServiceProcess",
    "Status",
    "down",
    "endpoints",
    "environment",
    "family",
    "ps",
    "scale",
    "start_parts",
    "up",
]
