"""Reviews by their document: where it is, is asked of one, and there are all that ever were."""

from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the index."""
    op.execute("create index reviews_of_document on reviews (pipeline, document_id)")


def downgrade() -> None:
    """Drop it."""
    op.execute("drop index reviews_of_document")
