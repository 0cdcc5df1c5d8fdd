"""The tables of results, submissions and reviews."""

from alembic import op

revision = "0001"
down_revision: str | None = None

UPGRADE = """
create table results (
    pipeline      text             not null,
    document_id   text             not null,
    tenant        text             not null,
    version       bigint           not null,
    batch_id      text             not null,
    state         text             not null,
    document_type text             not null,
    track         text             not null,
    confidence    double precision not null,
    fields        jsonb            not null,
    summary       text             not null,
    answers       jsonb            not null,
    quality       double precision,
    models        text[]           not null,
    cost_usd      double precision not null,
    calls         jsonb            not null,
    reason        text             not null,
    filename      text             not null,
    media_type    text             not null,
    metadata      jsonb            not null,
    submitted_at  timestamptz      not null,
    finished_at   timestamptz      not null,
    stored_by     text             not null,
    primary key (pipeline, document_id)
);
create index results_newest on results (pipeline, finished_at desc);
create index results_by_type on results (pipeline, document_type, finished_at desc);
create index results_by_batch on results (pipeline, batch_id, finished_at desc) where batch_id <> '';

create table submissions (
    pipeline     text        not null,
    document_id  text        not null,
    tenant       text        not null,
    version      bigint      not null,
    sha256       text        not null,
    batch_id     text        not null,
    filename     text        not null,
    submitted_at timestamptz not null,
    primary key (pipeline, document_id)
);
create index submissions_by_batch on submissions (pipeline, batch_id, submitted_at) where batch_id <> '';

create table reviews (
    review_id    text        primary key,
    pipeline     text        not null,
    document_id  text        not null,
    stage        text        not null,
    failure      text        not null,
    reason       text        not null,
    proposal     bytea       not null,
    requested_at timestamptz not null,
    decision     text        not null default '' check (decision in ('', 'approve', 'reject')),
    decided_by   text        not null default '',
    decided_at   timestamptz,
    note         text        not null default '',
    sequence     bigint      unique,
    check ((decision = '') = (sequence is null))
);
create index reviews_waiting on reviews (pipeline, requested_at) where sequence is null;
create index reviews_decided on reviews (pipeline, sequence) where sequence is not null;
create sequence review_decisions owned by reviews.sequence;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop table results, submissions, reviews")
