"""Every setting, where it may come from, and the one object that holds them.

Later wins: default, what `penstock up` started, `penstock.toml`, environment (`PENSTOCK_…`, `__` between levels). A
name that nobody knows is an error, not a setting that is silently without effect.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from shared.core.errors import Misconfigured
from shared.core.failures import Failure, Remedy
from shared.core.graph import Pipeline
from shared.core.quality import QualityPolicy
from shared.core.remedies import Fallback
from shared.core.thresholds import Exceptions
from shared.pipelines.named import named_pipeline
from shared.setting_names import Known, unknown

SERVICES = ("ingest", "review", "journal", "insights", "notify", "modelsim")
"""Services that are no stages; each may have a table of its own."""
BOOTSTRAP = "PENSTOCK_KAFKA__BOOTSTRAP_SERVERS"
ENDPOINTS = "endpoints.json"
"""File in the home folder where the embedded parts say where they are."""


QualityLevels = dict[Literal["retry_below", "structured_below"], Annotated[float, Field(ge=0, le=1)]]
"""Name of a threshold to its value."""


class KafkaSettings(BaseModel):
    """The Kafka; every other key is handed to librdkafka, with dots for underscores."""

    model_config = ConfigDict(extra="allow", frozen=True)

    bootstrap_servers: str = ""
    """host:port, comma-separated; empty: the embedded one."""
    replication_factor: int = 1
    """Copies of each topic that Penstock makes."""

    def properties(self) -> dict[str, Any]:
        """As librdkafka wants them."""
        extra = {name.replace("_", "."): value for name, value in (self.model_extra or {}).items()}
        return {"bootstrap.servers": self.bootstrap_servers} | extra


class BreakerSettings(BaseModel):
    """When a breaker opens, and when it lets a probe through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: int = Field(default=5, ge=1)
    """Failures in a row that open it."""
    recovery: float = Field(default=120.0, gt=0)
    """Seconds it stays open before one probe."""


class LimitSettings(BaseModel):
    """How calls wait for room in the limits of their model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window: float = Field(default=60.0, ge=1, le=86_400)
    """Seconds in which providers count: a limit per minute holds for each of them in its part."""
    patience: float = Field(default=6.0, gt=0, le=600)
    """Seconds that a call is expected to wait in its process; beyond, its document waits, or another model is asked."""
    weights: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Tenant to its part of a limit, over that of one who is not named; by cost."""


class BudgetSettings(BaseModel):
    """US dollars that may be spent on models; 0: as much as is wanted. What would go beyond waits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: float = Field(default=0.0, ge=0)
    """For one document, over all its calls."""
    tenant: float = Field(default=0.0, ge=0)
    """A day (UTC), for each tenant that is not named below."""
    tenants: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Tenant to its dollars a day."""
    day: float = Field(default=0.0, ge=0)
    """A day (UTC), for all together."""


class QualitySettings(BaseModel):
    """When a model is asked once more for a better answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retry_below: float = Field(default=0.7, ge=0, le=1)
    """A score below this is worth another try."""
    structured_below: float = Field(default=0.6, ge=0, le=1)
    """A score below this gets the structured prompt; between the two, another sample is wanted."""
    types: dict[str, QualityLevels] = {}
    """Document type to what differs for it: `[quality.types.contract]`."""
    models: dict[str, QualityLevels] = {}
    """Model, as results name it, to what differs for it: `[quality.models.gpt-5-mini]`."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """No score may be too bad for another sample and yet good enough to be kept."""
        policy = self.policy()
        for kind in ("", *self.types):
            for model in ("", *self.models):
                found = policy.of(kind, model)
                if found.structured_below > found.retry_below:
                    whose = " and ".join(filter(None, (kind, model)))
                    raise ValueError(
                        f"structured_below = {found.structured_below} is above retry_below = {found.retry_below}"
                        + (f" for {whose}" if whose else "")
                        + ": it may be as high at most"
                    )
        return self

    def policy(self) -> QualityPolicy:
        """As the models take it."""
        return QualityPolicy(self.retry_below, self.structured_below, exceptions=Exceptions(self.types, self.models))


class TracingSettings(BaseModel):
    """Where spans go, over OTLP; nothing that is wrong there holds a document up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(default="", pattern="^(|https?://.+)$")
    """Address of a receiver, as http://collector:4318, or of LangFuse, …/api/public/otel; empty: nobody is told."""
    headers: SecretStr = SecretStr("")
    """Headers for it: name=value, comma-separated, as in `Authorization=Basic …`."""
    sample: float = Field(default=1.0, ge=0, le=1)
    """Part of the documents that is traced; all processes choose the same ones."""
    content: bool = False
    """Texts too: prompts, answers, sentences about failures. They hold what stands in the documents."""
    timeout: float = Field(default=5.0, gt=0, le=60)
    """Seconds for one request."""


class JanitorSettings(BaseModel):
    """When records that everybody is done with are deleted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_days: float = Field(default=7.0, ge=0, le=36_500)
    """Days that a record stays in any case."""
    every_seconds: float = Field(default=3600.0, ge=0)
    """Seconds between two runs beside the journal; 0: none but those of `penstock janitor`."""


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_", env_nested_delimiter="__", extra="ignore", frozen=True, validate_default=True
    )

    kafka: KafkaSettings = KafkaSettings()
    """The Kafka."""
    redis_url: SecretStr = SecretStr("")
    """Redis of the breaker registry; empty: the embedded one."""
    database_url: SecretStr = SecretStr("")
    """PostgreSQL of the results; empty: the embedded one."""
    blob_url: str = ""
    """Where large files are kept, file:// or s3://; empty: a folder below `home`."""
    schema_registry_url: str = ""
    """Confluent schema registry; empty: none, and events carry their schema's fingerprint."""
    pipeline: str = "shared.pipelines.documents:DOCUMENTS"
    """The pipeline the commands speak of, as module:name."""
    commands: dict[str, str] = {}
    """Service to the command that runs one process of it, where it is not `python -m services.<service>`; an empty one
    keeps the service out of `penstock up`."""
    home: Path = Path(".penstock")
    """Folder of the embedded parts."""
    instance: str = ""
    """Name of this process among those of its service; empty: a random one."""
    health_host: str = "127.0.0.1"
    """Address on which /health and /metrics listen."""
    health_port: int = Field(default=0, ge=0, le=65535)
    """Port of /health and /metrics; 0: a free one."""
    in_flight: int = Field(default=256, ge=1, le=10_000)
    """Slow documents that a process of a stage works on at once."""
    group_protocol: str = Field(default="", pattern="^(|classic|consumer)$")
    """Kafka group protocol; empty: the newer one where the broker is the embedded one, else classic."""
    breaker: BreakerSettings = BreakerSettings()
    """The circuit breakers of the models."""
    limits: LimitSettings = LimitSettings()
    """Requests and tokens per minute; the limits themselves stand in the model registry."""
    budgets: BudgetSettings = BudgetSettings()
    """What may be spent."""
    quality: QualitySettings = QualitySettings()
    """When a model is asked once more for a better answer; from where on one is accepted, the stages' tables say."""
    tracing: TracingSettings = TracingSettings()
    """Spans for an OpenTelemetry backend."""
    janitor: JanitorSettings = JanitorSettings()
    """What is deleted."""
    models_file: str = ""
    """The model registry; empty: the one that comes with Penstock."""
    webhooks: str = ""
    """File of the webhooks that are told how documents end and batches finish; empty: none are."""
    remedies: dict[Failure, Remedy] = {}
    """Failure class to remedy, where the pipeline's own table is not wanted: `timeout = "fallback"`."""
    fallback: Fallback | None = None
    """While a model is away: `next` asks the next one of its chain, `wait` has the document wait for the first; not
    set: as the pipeline says."""

    @property
    def blobs(self) -> str:
        """Address of the blobs, the default filled in."""
        return self.blob_url or (self.home.resolve() / "blobs").as_uri()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, the strongest first."""
        toml = InitSettingsSource(settings_cls, {k: v for k, v in toml_file().items() if k in cls.model_fields})
        home = Path(os.environ.get("PENSTOCK_HOME") or toml_file().get("home") or ".penstock")
        return init_settings, env_settings, toml, InitSettingsSource(settings_cls, embedded(home))


def toml_file() -> dict[str, Any]:
    """What `penstock.toml` (or the file PENSTOCK_CONFIG names) says; empty where there is none."""
    path = Path(os.environ.get("PENSTOCK_CONFIG", "penstock.toml"))
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} is not TOML: {error}") from error


def embedded(home: Path) -> dict[str, Any]:
    """Addresses of the embedded parts that run in that folder, and what suits them."""
    try:
        found = json.loads((home / ENDPOINTS).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    names = {"redis": "redis_url", "database": "database_url"}
    # A part that is not embedded stands there without an address.
    settings: dict[str, Any] = {names[part]: address for part, address in found.items() if part in names and address}
    if kafka := found.get("kafka"):
        settings |= {"kafka": {"bootstrap_servers": kafka}}
        # The embedded broker allows the newer protocol short heartbeats; others ask for a session of 45 s.
        if (os.environ.get(BOOTSTRAP) or toml_file().get("kafka", {}).get("bootstrap_servers", kafka)) == kafka:
            settings |= {"group_protocol": "consumer"}
    return settings


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises Misconfigured naming the setting, its value and what it may be."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise Misconfigured("settings: " + "; ".join(lines)) from error
    if wrong := list(unknown(os.environ, toml_file(), known_names(settings.pipeline))):
        raise Misconfigured("; ".join(wrong))
    return settings


def configured(pipeline: Pipeline, settings: Settings) -> Pipeline:
    """The pipeline with what the settings say about its failures. Raises Misconfigured."""
    return pipeline.configured(settings.remedies, settings.fallback)


def known_names(pipeline: str) -> Known:
    """Every setting, and the table of every service; below a service's table its own settings decide."""
    known: dict[str, list[str] | None] = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        known[name] = list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []
    services = [*SERVICES, *(stage.name for stage in named_pipeline(pipeline).stages)]
    return (
        known | {"remedies": [failure.value for failure in Failure]} | dict.fromkeys(["kafka", "commands", *services])
    )


def own_settings(kind: type[Any], service: str) -> Any:
    """A service's own settings: table `[<service>]` of the file, then `PENSTOCK_<SERVICE>__<NAME>`."""
    prefix = f"PENSTOCK_{service.upper()}__"
    table = dict(toml_file().get(service, {}))
    table |= {k.removeprefix(prefix).lower(): v for k, v in os.environ.items() if k.startswith(prefix)}
    try:
        return kind(**table)
    except ValidationError as error:
        lines = [f"{service}.{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise Misconfigured("settings: " + "; ".join(lines)) from error
