"""Brings the tables to what this code expects: `migrate(url)`, by as many processes at once as like to.

All migrations run in one transaction under an advisory lock: the first process does the work, the others wait and find
it done, and one that is killed in the middle leaves nothing behind.
"""

import logging
import threading
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from shared.core.errors import Misconfigured
from shared.database.errors import mapped_errors

VERSION_TABLE = "penstock_version"
"""Where the version is noted; not alembic's own name, for a team may keep its own tables in the same database."""

LOCK = 0x70656E73746F636B
"""Key of the advisory lock."""

CONNECT_SECONDS = 10
LOCK_SECONDS = 120

_alembic = threading.Lock()
"""alembic keeps its context in module globals, so one thread of a process at a time."""


def migrate(database_url: str) -> None:
    """Create or change the tables. Raises Unavailable, or Misconfigured where the database is newer than the code."""
    with (
        _alembic,
        mapped_errors(),
        psycopg.connect(
            database_url, connect_timeout=CONNECT_SECONDS, application_name="penstock migrate"
        ) as connection,
    ):
        # The engine borrows this connection: libpq reads addresses (sockets, options) that SQLAlchemy's own do not.
        engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=pool.StaticPool)
        try:
            with engine.begin() as borrowed:
                _upgrade(borrowed)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from error
            raise
        finally:
            engine.dispose()


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    connection.execute(text(f"set local lock_timeout = '{LOCK_SECONDS}s'"))
    connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            f"the tables are not what this version knows ({error}): a newer Penstock has migrated them; run that one"
        ) from error
