"""A review may end because its document was cancelled, and nobody has to look at it."""

from alembic import op

revision = "0004"
down_revision: str | None = "0003"

DECISIONS = """
alter table reviews drop constraint reviews_decision_check,
    add constraint reviews_decision_check check (decision in ({decisions}))
"""


def upgrade() -> None:
    """Let them."""
    op.execute(DECISIONS.format(decisions="'', 'approve', 'reject', 'cancel'"))


def downgrade() -> None:
    """Let them no more; what was cancelled was decided by nobody who looked at it, and counts as rejected."""
    op.execute("update reviews set decision = 'reject' where decision = 'cancel'")
    op.execute(DECISIONS.format(decisions="'', 'approve', 'reject'"))
