"""An index by which a day's spending is summed."""

from alembic import op

revision = "0003"
down_revision: str | None = "0002"

# By the start, which the end of a call does not change: it stays on its page, and costs no entry in any index. Rows
# come in the order of that time, so the smallest kind of index does.
UPGRADE = """
create index calls_by_start on calls using brin (started_at) with (pages_per_range = 16, autosummarize = on);
"""


def upgrade() -> None:
    """Create it."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop index calls_by_start")
