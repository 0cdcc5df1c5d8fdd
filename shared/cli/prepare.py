"""`python -m shared.cli.prepare`: topics and tables, before the first service starts."""

import sys

from shared.cli.exits import exit_of
from shared.cli.session import open_session
from shared.database.migrate import migrate
from shared.kafka.admin import ensure, plan


def prepare() -> None:
    """Make what is missing; may run any number of times, and by several at once."""
    session = open_session()
    made = ensure(session.kafka, plan(session.pipeline), replication=session.settings.kafka.replication_factor)
    print(f"{made} topics made for {session.pipeline.name}")
    migrate(session.settings.database_url.get_secret_value())
    print("tables are up to date")


if __name__ == "__main__":
    try:
        prepare()
    except Exception as error:
        code = exit_of(error)
        if code is None:
            raise
        print(error)
        sys.exit(code)
