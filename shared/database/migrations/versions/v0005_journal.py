"""The journal of a pipeline's records, and the checkpoint of the audit."""

from alembic import op

revision = "0005"
down_revision: str | None = "0004"

# What an entry says stands in columns where it is searched or counted, and in `detail` where it is only shown.
UPGRADE = """
create table journal_entries (
    pipeline    text        not null,
    topic       text        not null,
    partition   integer     not null,
    "offset"    bigint      not null,
    document_id text        not null,
    at          timestamptz not null,
    depth       integer     not null,
    kind        text        not null,
    stage       text        not null,
    state       text        not null,
    failure     text        not null,
    attempts    integer     not null,
    batch_id    text        not null,
    event_id    text        not null,
    letter      text        not null,
    message     text        not null,
    detail      jsonb       not null,
    primary key (pipeline, topic, partition, "offset")
);
create index journal_by_document on journal_entries (pipeline, document_id);
create index journal_by_batch on journal_entries (pipeline, batch_id, document_id) where batch_id <> '';
create index journal_by_letter on journal_entries (pipeline, letter) where letter <> '';
create index journal_by_time on journal_entries using brin (at);

create table journal_documents (
    pipeline    text        not null,
    document_id text        not null,
    state       text        not null,
    stage       text        not null,
    failure     text        not null,
    attempts    integer     not null,
    message     text        not null,
    at          timestamptz not null,
    depth       integer     not null,
    topic       text        not null,
    partition   integer     not null,
    "offset"    bigint      not null,
    primary key (pipeline, document_id)
) with (fillfactor = 60);
create index journal_documents_open on journal_documents (pipeline, state, at)
    where state not in ('stored', 'superseded', 'deduplicated');

create table journal_positions (
    pipeline  text    not null,
    topic     text    not null,
    partition integer not null,
    next      bigint  not null,
    primary key (pipeline, topic, partition)
);

create view journal_dead_letters as
select l.pipeline, l.letter, l.document_id, l.stage, l.failure, l.attempts, l.message, l.at, l.batch_id, l.detail,
    r.state as resolution, r.at as resolved_at, r.detail as resolved
from journal_entries l
left join lateral (
    select state, at, detail from journal_entries r
    where r.pipeline = l.pipeline and r.letter = l.letter and r.kind = 'resolved'
    order by r."offset" desc limit 1
) r on true
where l.kind = 'dead-lettered';

create view journal_batches as
select m.pipeline, m.batch_id, d.state, count(*) as documents, min(d.at) as first_at, max(d.at) as last_at
from (select distinct pipeline, batch_id, document_id from journal_entries where batch_id <> '') m
join journal_documents d using (pipeline, document_id)
group by m.pipeline, m.batch_id, d.state;

create table audit_checkpoints (
    pipeline  text    not null,
    topic     text    not null,
    partition integer not null,
    next      bigint  not null,
    primary key (pipeline, topic, partition)
);

create table audit_documents (
    pipeline    text    not null,
    document_id text    not null,
    batch_id    text    not null,
    published   integer not null,
    states      jsonb   not null,
    primary key (pipeline, document_id)
);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute("drop view journal_batches, journal_dead_letters")
    op.execute("drop table journal_entries, journal_documents, journal_positions, audit_checkpoints, audit_documents")
