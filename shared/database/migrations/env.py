"""How alembic runs the migrations: on the connection and in the transaction that `shared.database.migrate` hands it."""

from alembic import context

from shared.database.migrate import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
