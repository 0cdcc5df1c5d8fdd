"""The table of calls: every request that is paid for, and what came of it."""

from alembic import op

revision = "0002"
down_revision: str | None = "0001"

# Room in each page for the second version of its rows: every intent is updated once, when its call ends.
UPGRADE = """
create table calls (
    fingerprint   text             primary key,
    pipeline      text             not null,
    stage         text             not null,
    tenant        text             not null,
    document_id   text             not null,
    task          text             not null,
    model         text             not null,
    operation     text             not null,
    ticket        bigint           not null,
    instance      text             not null,
    state         text             not null check (state in ('intent', 'accepted', 'rejected', 'failed')),
    result        text             not null default '',
    failure       text             not null default '',
    input_tokens  bigint           not null default 0,
    output_tokens bigint           not null default 0,
    cost_usd      double precision not null default 0,
    milliseconds  bigint           not null default 0,
    started_at    timestamptz      not null,
    ended_at      timestamptz,
    repeat        boolean          not null default false,
    repeats       integer          not null default 0,
    ended         bigint[]         not null default '{}'
) with (fillfactor = 60);
create index calls_by_document on calls (pipeline, document_id);
"""


def upgrade() -> None:
    """Create it."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table calls")
