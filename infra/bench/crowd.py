"""A PostgreSQL that lets few in, and somebody who takes every place there is.

The places are those of a role, as a provider of databases allots them: the server refuses whoever comes then in the
same words as when it has no connection left at all.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psycopg

ROLE = "tenant"
PLACES = 20
"""Connections of the role: more than the services of a pipeline hold, one process of each."""
SECONDS = 20.0
"""Longest time in which the places are taken from those who have them."""
MAKE = f"""
create role {ROLE} login password '{ROLE}' connection limit {PLACES};
grant select, insert, update, delete on all tables in schema public to {ROLE};
grant usage on all sequences in schema public to {ROLE};
"""
SEND_AWAY = "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s and not pid = any(%s)"


def narrow(server: str) -> str:
    """Make the role, which may use every table; gives the address by which one comes in under it."""
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(MAKE)
    return address_of(server)


@contextmanager
def crowded(server: str) -> Iterator[None]:
    """Nobody but a stranger is connected under the role, nor can be, for the length of a block.

    `server`: its owner's address. Raises TimeoutError where those who had the places are faster every time.
    """
    address, deadline = address_of(server), time.monotonic() + SECONDS
    with psycopg.connect(server, autocommit=True) as owner, ExitStack() as taken:
        mine: list[int] = []
        while len(mine) < PLACES:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(mine)} of {PLACES} places were taken within {SECONDS:g} s")
            owner.execute(SEND_AWAY, [ROLE, mine])
            try:
                connection = taken.enter_context(psycopg.connect(address, autocommit=True))
            except psycopg.OperationalError:
                continue
            mine.append(connection.info.backend_pid)
        yield


def address_of(server: str) -> str:
    """The server's address for the role."""
    given = urlsplit(server)
    return given._replace(netloc=f"{ROLE}:{ROLE}@{given.hostname}:{given.port}").geturl()
