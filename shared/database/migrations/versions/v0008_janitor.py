"""What the audit keeps of documents whose records may be deleted, and what the janitor has deleted."""

from alembic import op

revision = "0008"
down_revision: str | None = "0007"

# Nothing has ever written the table of documents of 0005, so it is made anew and not changed. Tallies repeat: an audit
# adds them by group. Facts are packed by `shared.core.conservation.folding`: nobody asks for a part of them.
UPGRADE = """
drop table audit_documents;
create table audit_documents (
    pipeline    text    not null,
    document_id text    not null,
    settled     boolean not null,
    batches     text[]  not null,
    tally       jsonb   not null,
    letters     jsonb   not null,
    reviews     text[]  not null,
    version     bigint,
    facts       bytea   not null,
    primary key (pipeline, document_id)
);
create index audit_documents_open on audit_documents (pipeline) where not settled;

create table janitor_deletions (
    pipeline   text        not null,
    day        date        not null,
    topic      text        not null,
    partition  integer     not null,
    "begin"    bigint      not null,
    next       bigint      not null,
    deleted_by text        not null,
    deleted_at timestamptz not null,
    primary key (pipeline, day, topic, partition)
);
"""

DOWNGRADE = """
drop table janitor_deletions, audit_documents;
create table audit_documents (
    pipeline    text    not null,
    document_id text    not null,
    batch_id    text    not null,
    published   integer not null,
    states      jsonb   not null,
    primary key (pipeline, document_id)
);
delete from audit_checkpoints;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; what was folded is not known any more, so nothing says that it was."""
    op.execute(DOWNGRADE)
