"""The file of webhooks that `PENSTOCK_WEBHOOKS` names: TOML, one `[[hook]]` each; secrets stand in the environment.

[[hook]]
name = "team"
url = "https://example.org/penstock"
secret_env = "TEAM_WEBHOOK_SECRET"
on = ["batch", "dead-lettered"]

[[hook]]
name = "slack"
url_env = "SLACK_WEBHOOK_URL"
template = "slack"
on = ["batch"]
"""

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.core.errors import Misconfigured
from shared.core.timeline import Entry
from shared.core.webhooks.body import PLAIN, SLACK, Words, wrong_in
from shared.core.webhooks.hook import Hook, Patience
from shared.core.webhooks.notice import BATCH, ENDS, Count, Notice, batch_notice, document_notice
from shared.core.webhooks.signature import secret_of

MOST = 100
"""Hooks of a file: each has connections of its own."""
TEMPLATE_BYTES = 100_000


class HookTable(BaseModel):
    """One `[[hook]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    """Small letters, digits, - and _: it is a label of metrics."""
    url: str = ""
    """Where it listens."""
    url_env: str = ""
    """Variable of the environment that has the address, where that is itself a secret."""
    secret_env: str = ""
    """Variable with the secret that requests are signed with, or with the new and the old one, a space between."""
    on: tuple[str, ...] = (BATCH,)
    """What it wants to hear."""
    pipelines: tuple[str, ...] = ()
    """Names of pipelines; none: all."""
    tenants: tuple[str, ...] = ()
    """Only of their documents."""
    types: tuple[str, ...] = ()
    """Only of documents of these types."""
    template: str = PLAIN
    """plain, slack, or a file beside this one."""
    timeout: float = Field(default=15.0, gt=0, le=60)
    """Seconds of one try."""
    attempts: int = Field(default=20, ge=1, le=1000)
    """Tries."""
    hours: Annotated[float, Field(gt=0, le=24 * 14)] = 24.0
    """Hours after which a delivery is given up."""
    at_once: int = Field(default=4, ge=1, le=64)
    """Requests at the same time."""

    @field_validator("on")
    @classmethod
    def _known(cls, on: tuple[str, ...]) -> tuple[str, ...]:
        if not on or (unknown := [one for one in on if one not in (*ENDS, BATCH)]):
            raise ValueError(f"{unknown[0] if on else 'nothing'}: give some of {', '.join((BATCH, *ENDS))}")
        return on

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("give url, or url_env with the name of a variable that has it")
        if not self.secret_env and self.template != SLACK:
            raise ValueError("give secret_env: whoever is not Slack has no other way to know who sends")
        return self


class HooksFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hook: tuple[HookTable, ...] = Field(default=(), max_length=MOST)
    """The hooks."""


def load_hooks(path: str, environment: Mapping[str, str], pipeline: str) -> tuple[Hook, ...]:
    """The hooks for one pipeline; none where no file is named. Raises Misconfigured without telling any secret."""
    if not path:
        return ()
    try:
        tables = HooksFile(**tomllib.loads(Path(path).read_text("utf-8"))).hook
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"PENSTOCK_WEBHOOKS = {path}: {error}") from error
    except ValidationError as error:
        # Without what was given: a secret may stand where none belongs.
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
        raise Misconfigured(f"{path}: {'; '.join(lines)}") from None
    if twice := [name for name, count in Counter(table.name for table in tables).items() if count > 1]:
        raise Misconfigured(f"{path}: two hooks are called {twice[0]}: give each a name of its own")
    wanted = [table for table in tables if not table.pipelines or pipeline in table.pipelines]
    return tuple(hook_of(table, Path(path), environment) for table in wanted)


def hook_of(table: HookTable, path: Path, environment: Mapping[str, str]) -> Hook:
    """One hook with its secrets. Raises Misconfigured."""
    where = f"{path}: hook {table.name}"
    return Hook(
        name=table.name,
        url=address_of(table, where, environment),
        on=frozenset(table.on),
        words=words_of(table, where, path.parent),
        secrets=secrets_of(table, where, environment),
        tenants=frozenset(table.tenants),
        types=frozenset(table.types),
        patience=Patience(timeout=table.timeout, attempts=table.attempts, hours=table.hours),
        at_once=table.at_once,
    )


def address_of(table: HookTable, where: str, environment: Mapping[str, str]) -> str:
    """Where it listens. Raises Misconfigured, which does not tell the address: it may be a secret."""
    given = table.url or environment.get(table.url_env, "")
    if not given:
        raise Misconfigured(f"{where}: the variable {table.url_env} is not set: it has the address")
    try:
        url = httpx.URL(given)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise Misconfigured(f"{where}: {table.url_env or 'url'} is no address: it begins with https:// or http://")
    return given


def secrets_of(table: HookTable, where: str, environment: Mapping[str, str]) -> tuple[bytes, ...]:
    """What it signs with. Raises Misconfigured."""
    if not table.secret_env:
        return ()
    given = environment.get(table.secret_env, "").split()
    if not given:
        raise Misconfigured(f"{where}: the variable {table.secret_env} is not set: it has the secret")
    try:
        return tuple(secret_of(text) for text in given)
    except ValueError as error:
        raise Misconfigured(f"{where}: the secret in {table.secret_env}: {error}") from None


def words_of(table: HookTable, where: str, folder: Path) -> Words:
    """How it is told. Raises Misconfigured."""
    if table.template in (PLAIN, SLACK):
        return Words(table.template)
    try:
        template = (folder / table.template).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{where}: template {table.template}: {error}") from error
    wrong = wrong_in(template, samples("documents")) if len(template) <= TEMPLATE_BYTES else "it is too long"
    if wrong or not template.strip():
        raise Misconfigured(f"{where}: template {table.template}: {wrong or 'it is empty'}")
    return Words(table.template, template)


def samples(pipeline: str) -> tuple[Notice, ...]:
    """Notices as they look, of a document and of a batch, for a test and for the check of a template."""
    at = datetime.now(UTC)
    told: dict[str, Any] = {"tenant": "sample", "document_type": "invoice"}
    entry = Entry(
        topic=f"{pipeline}.extract.dlq",
        partition=0,
        offset=0,
        document_id='sample "1"',
        at=at,
        depth=0,
        kind="dead-lettered",
        stage="extract",
        state="dead-lettered",
        failure="encrypted",
        attempts=1,
        batch_id="sample",
        message="this is a test: no such document was handed in",
        detail=told,
    )
    counts = (Count("stored", "", "", "sample", 9, at), Count("dead-lettered", "extract", "encrypted", "sample", 1, at))
    found = (document_notice(pipeline, entry), batch_notice(pipeline, "sample", 1, counts))
    return tuple(notice for notice in found if notice is not None)
