"""What the calls used, taken apart: cached and reasoning tokens, what failed, and what nobody saw the end of."""

from alembic import op

revision = "0006"
down_revision: str | None = "0005"

# Columns with a constant default are added without a rewrite of the table. Of what was recorded before, only the parts
# that are still known are filled in: the try that stands, where it is the only one.
UPGRADE = """
alter table calls
    add column document_type        text             not null default '',
    add column cached_tokens        bigint           not null default 0,
    add column written_tokens       bigint           not null default 0,
    add column reasoning_tokens     bigint           not null default 0,
    add column failed_input_tokens  bigint           not null default 0,
    add column failed_output_tokens bigint           not null default 0,
    add column failed_usd           double precision not null default 0,
    add column unsure_usd           double precision not null default 0,
    add column unsure               bigint[]         not null default '{}',
    add column pending              bigint[]         not null default '{}';
update calls set pending = array[ticket] where state = 'intent';
update calls set failed_input_tokens = input_tokens, failed_output_tokens = output_tokens, failed_usd = cost_usd
    where state in ('rejected', 'failed');
"""
DOWNGRADE = """
alter table calls
    drop column cached_tokens, drop column written_tokens, drop column reasoning_tokens,
    drop column failed_input_tokens, drop column failed_output_tokens, drop column failed_usd,
    drop column unsure_usd, drop column unsure, drop column pending, drop column document_type
"""


def upgrade() -> None:
    """Add them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
