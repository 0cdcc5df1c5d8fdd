"""Webhooks: what is to be delivered, and what is known of batches."""

from alembic import op

revision = "0007"
down_revision: str | None = "0006"

UPGRADE = """
create table webhooks (
    pipeline     text        not null,
    hook         text        not null,
    since        timestamptz not null,
    delivered    bigint      not null default 0,
    delivered_at timestamptz,
    failed_at    timestamptz,
    failure      text        not null default '',
    primary key (pipeline, hook)
);

create table webhook_positions (
    pipeline  text    not null,
    topic     text    not null,
    partition integer not null,
    next      bigint  not null,
    primary key (pipeline, topic, partition)
);

create table webhook_batches (
    pipeline   text        not null,
    batch_id   text        not null,
    changed_at timestamptz not null,
    unsettled  boolean     not null,
    reopened   boolean     not null,
    round      integer     not null default 0,
    primary key (pipeline, batch_id)
);
create index webhook_batches_unsettled on webhook_batches (pipeline, changed_at) where unsettled;

create table webhook_documents (
    pipeline    text        not null,
    batch_id    text        not null,
    document_id text        not null,
    state       text        not null,
    stage       text        not null,
    failure     text        not null,
    tenant      text        not null,
    at          timestamptz not null,
    depth       integer     not null,
    topic       text        not null,
    partition   integer     not null,
    "offset"    bigint      not null,
    primary key (pipeline, batch_id, document_id)
) with (fillfactor = 60);
create index webhook_documents_open on webhook_documents (pipeline, batch_id) where state = 'open';

create table webhook_deliveries (
    pipeline   text        not null,
    hook       text        not null,
    message_id text        not null,
    type       text        not null,
    subject    text        not null,
    body       text        not null,
    made_at    timestamptz not null default clock_timestamp(),
    next_at    timestamptz not null default clock_timestamp(),
    attempts   integer     not null default 0,
    state      text        not null default 'waiting' check (state in ('waiting', 'delivered', 'given-up')),
    failure    text        not null default '',
    primary key (pipeline, hook, message_id)
) with (fillfactor = 70);
create index webhook_deliveries_due on webhook_deliveries (pipeline, hook, next_at) where state = 'waiting';
create index webhook_deliveries_open on webhook_deliveries (pipeline, hook, state) where state <> 'delivered';
create index webhook_deliveries_old on webhook_deliveries using brin (made_at);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table webhooks, webhook_positions, webhook_batches, webhook_documents, webhook_deliveries")
