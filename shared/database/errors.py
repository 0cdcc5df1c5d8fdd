"""What PostgreSQL's errors mean to Penstock, in one table.

psycopg error
├── the statement's data   Failed(store_rejected)   classes 21 22 23 44 54: would fail again unchanged
├── we are wrong           Misconfigured            a missing table or column, a missing privilege
└── everything else        Unavailable              connection, timeout, shutdown, full disk, deadlock, standby: heals
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from shared.core.errors import Failed, Misconfigured, PenstockError, Unavailable
from shared.core.failures import Failure

NAME = "database"
"""The dependency, as `Unavailable` and `penstock breakers` name it."""

DATA_CLASSES = ("21", "22", "23", "44", "54")
"""SQLSTATE classes that speak of the data: cardinality, data, integrity, check option, program limit."""


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn whatever psycopg raises inside into one of the three families."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable(NAME, "PostgreSQL did not answer in time") from error
    except psycopg.Error as error:
        raise meaning(error) from error


def meaning(error: psycopg.Error) -> PenstockError:
    """The family of one error, with PostgreSQL's own words."""
    text = " ".join(str(error).split()) or type(error).__name__
    # A row the client library itself refuses (a NUL byte in a text) is a DataError without a SQLSTATE.
    if (error.sqlstate or "").startswith(DATA_CLASSES) or isinstance(error, psycopg.DataError):
        return Failed(Failure.STORE_REJECTED, f"PostgreSQL refused the row: {text}")
    if isinstance(error, psycopg.ProgrammingError):
        return Misconfigured(
            f"PostgreSQL: {text}; check PENSTOCK_DATABASE_URL, and that its tables are there (`penstock up` makes them)"
        )
    return Unavailable(NAME, f"PostgreSQL is away: {text}")
