"""What is to be delivered to webhooks, and what came of it: the way from a fact to a request, which no crash can cut.

    waiting   to be tried at `next_at`; while a try is under way that is the moment at which it counts as lost
    delivered the receiver has answered well
    given-up  tried as often and as long as the hook has patience

A try is counted before it is made: a delivery that kills the process is not tried for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.database.pool import Connection, Database

LIST = ("pipeline", "hook", "message_id", "type", "subject", "body")
ADD = f"""
insert into webhook_deliveries ({", ".join(LIST)})
select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) on conflict do nothing
"""
KNOWN = """
insert into webhooks (pipeline, hook, since) select %s, hook, clock_timestamp() from unnest(%s::text[]) as hook
on conflict do nothing
"""
SINCE = "select hook, since from webhooks where pipeline = %s and hook = any(%s)"
CLAIM = """
with due as (
    select message_id from webhook_deliveries
    where pipeline = %(pipeline)s and hook = %(hook)s and state = 'waiting' and next_at <= clock_timestamp()
    order by next_at limit 1 for update skip locked)
update webhook_deliveries d
set attempts = d.attempts + 1, next_at = clock_timestamp() + make_interval(secs => %(lease)s)
from due where d.pipeline = %(pipeline)s and d.hook = %(hook)s and d.message_id = due.message_id
returning d.message_id as id, d.body, d.attempts, d.made_at
"""
DELIVERED = """
with done as (
    update webhook_deliveries set state = 'delivered', failure = ''
    where pipeline = %(pipeline)s and hook = %(hook)s and message_id = %(id)s and state <> 'delivered' returning 1)
update webhooks set delivered = delivered + (select count(*) from done), delivered_at = clock_timestamp()
where pipeline = %(pipeline)s and hook = %(hook)s
"""
FAILED = """
with done as (
    update webhook_deliveries
    set state = case when %(next)s::timestamptz is null then 'given-up' else 'waiting' end,
        next_at = coalesce(%(next)s::timestamptz, next_at), failure = %(failure)s
    where pipeline = %(pipeline)s and hook = %(hook)s and message_id = %(id)s and state = 'waiting')
update webhooks set failed_at = clock_timestamp(), failure = %(failure)s
where pipeline = %(pipeline)s and hook = %(hook)s
"""
EXPIRE = """
update webhook_deliveries set state = 'given-up', failure = %(why)s || failure
where pipeline = %(pipeline)s and hook = %(hook)s and state = 'waiting' and next_at <= clock_timestamp()
    and made_at < clock_timestamp() - make_interval(secs => %(seconds)s)
"""
FORGET = """
delete from webhook_deliveries where ctid = any(array(
    select ctid from webhook_deliveries
    where pipeline = %s and state <> 'waiting' and made_at < clock_timestamp() - make_interval(secs => %s) limit %s))
"""
STANDING = """
select w.hook, w.since, w.delivered, w.delivered_at, w.failed_at, w.failure,
    count(*) filter (where d.state = 'waiting') as waiting,
    count(*) filter (where d.state = 'given-up') as given_up,
    min(d.made_at) filter (where d.state = 'waiting') as oldest,
    min(d.next_at) filter (where d.state = 'waiting') as next_at
from webhooks w
left join webhook_deliveries d on d.pipeline = w.pipeline and d.hook = w.hook and d.state <> 'delivered'
where w.pipeline = %s group by w.pipeline, w.hook order by w.hook
"""
GIVEN_UP = """
select message_id, type, subject, made_at, attempts, failure from webhook_deliveries
where pipeline = %s and hook = %s and state = 'given-up' order by made_at desc limit %s
"""
AGAIN = """
update webhook_deliveries
set state = 'waiting', attempts = 0, made_at = clock_timestamp(), next_at = clock_timestamp()
where pipeline = %s and hook = %s and state = 'given-up'
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One notice for one hook, in the words in which it is sent, however often."""

    hook: str
    """The hook."""
    id: str
    """The notice's id."""
    type: str
    """What it tells."""
    subject: str
    """Of which document or batch."""
    body: str
    """The request's body: made once, so that a repeat is the same to the byte."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is being tried."""

    id: str
    """Its id."""
    body: str
    """What is sent."""
    attempts: int
    """Which try it is, from 1."""
    made_at: datetime
    """Since when it waits."""


async def add(connection: Connection, pipeline: str, messages: Sequence[Message]) -> None:
    """Note them in the transaction of what they tell; what is noted already stays as it is."""
    columns = [[getattr(one, name) for one in messages] for name in ("hook", "id", "type", "subject", "body")]
    if messages:
        await connection.execute(ADD, [pipeline, *columns])


@dataclass(frozen=True, slots=True)
class DeliveriesTable:
    """The deliveries of one pipeline."""

    database: Database
    """The pool."""
    pipeline: str
    """Whose ends they tell."""

    async def since(self, hooks: Sequence[str]) -> Mapping[str, datetime]:
        """From when on each hook is told: from when it was first met here. What ended before is no news to it."""
        async with self.database.work() as connection:
            await connection.execute(KNOWN, [self.pipeline, list(hooks)])
        rows = await self.database.rows(SINCE, [self.pipeline, list(hooks)])
        return {row["hook"]: row["since"] for row in rows}

    async def claim(self, hook: str, lease: float) -> Claimed | None:
        """The next one that is due, for so many seconds nobody else's; None where none is."""
        rows = await self.database.rows(CLAIM, {"pipeline": self.pipeline, "hook": hook, "lease": lease})
        return Claimed(**rows[0]) if rows else None

    async def delivered(self, hook: str, message: str) -> None:
        """The receiver has it."""
        async with self.database.work() as connection:
            await connection.execute(DELIVERED, {"pipeline": self.pipeline, "hook": hook, "id": message})

    async def failed(self, hook: str, message: str, failure: str, again: datetime | None) -> None:
        """A try came to nothing; it is tried again then, or given up."""
        values = {"pipeline": self.pipeline, "hook": hook, "id": message, "failure": failure, "next": again}
        async with self.database.work() as connection:
            await connection.execute(FAILED, values)

    async def expire(self, hook: str, hours: float) -> int:
        """Give up what waits for longer; gives how many. What is under way is left alone."""
        values = {"pipeline": self.pipeline, "hook": hook, "seconds": hours * 3600}
        async with self.database.work() as connection:
            done = await connection.execute(EXPIRE, values | {"why": f"older than {hours:g} h; "})
            return done.rowcount

    async def forget(self, seconds: float, most: int) -> int:
        """Delete what has long been delivered or given up, at most so many at once; gives how many."""
        async with self.database.work() as connection:
            return (await connection.execute(FORGET, [self.pipeline, seconds, most])).rowcount

    async def standing(self) -> Sequence[Mapping[str, Any]]:
        """How each hook stands that was ever met."""
        return await self.database.rows(STANDING, [self.pipeline])

    async def given_up(self, hook: str, most: int) -> Sequence[Mapping[str, Any]]:
        """What was given up, the newest first."""
        return await self.database.rows(GIVEN_UP, [self.pipeline, hook, most])

    async def again(self, hook: str) -> int:
        """Take up again what was given up, under the same ids; gives how many."""
        async with self.database.work() as connection:
            return (await connection.execute(AGAIN, [self.pipeline, hook])).rowcount
