"""The registry file as it is written: what may stand in it, and what is wrong with it, entry by entry."""

import math
import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.core.errors import Misconfigured
from shared.models.forms import Form
from shared.models.prices import Price, problems

LOCAL = "local"
"""Name of the rules-based model of this process; a chain that lists it opts in to its answers."""


class ProviderEntry(BaseModel):
    """A provider as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wire: Literal["openai", "anthropic"]
    base_url: str = ""
    base_url_env: str = ""
    base_path: str = ""
    key_env: str = ""
    needs: tuple[str, ...] = ()
    simulated: bool = False
    limit_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    timeout: float = Field(default=90.0, gt=0)
    form: Form | None = None
    stream: bool = True
    first_token: float = Field(default=60.0, gt=0)
    stall: float = Field(default=30.0, gt=0)


class PriceEntry(BaseModel):
    """US dollars per million tokens as the file has them, from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: date
    input_usd_per_million: Decimal = Field(ge=0)
    output_usd_per_million: Decimal = Field(ge=0)
    cached_usd_per_million: Decimal | None = Field(default=None, ge=0)
    cache_write_usd_per_million: Decimal | None = Field(default=None, ge=0)


class ModelEntry(BaseModel):
    """A model as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    id: str = ""
    id_env: str = ""
    context_window: int = Field(gt=0)
    max_output: int = Field(gt=0)
    input_usd_per_million: Decimal | None = Field(default=None, ge=0)
    output_usd_per_million: Decimal | None = Field(default=None, ge=0)
    cached_usd_per_million: Decimal | None = Field(default=None, ge=0)
    cache_write_usd_per_million: Decimal | None = Field(default=None, ge=0)
    prices: tuple[PriceEntry, ...] = ()
    priced_on: date
    form: Form | None = None
    requests_per_minute: int = Field(default=0, ge=1, le=10_000_000)
    tokens_per_minute: int = Field(default=0, ge=1, le=10_000_000_000)
    quality: float = Field(default=1.0, ge=0, le=1)

    @property
    def price_list(self) -> tuple[Price, ...]:
        """Its prices, the oldest first; one without a date has always held."""
        if self.prices:
            return tuple(_price(one, one.since) for one in self.prices)
        return (_price(self, date.min),)

    @property
    def priced_plainly(self) -> bool:
        """Whether a price stands in the entry itself."""
        plain = (self.cached_usd_per_million, self.cache_write_usd_per_million)
        return any(one is not None for one in (self.input_usd_per_million, self.output_usd_per_million, *plain))


class ChainEntry(BaseModel):
    """A chain that is more than a list, as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...]
    order: Literal["given", "cheapest"] = "given"
    quality: float = Field(default=0.0, ge=0, le=1)
    seconds: float = Field(default=math.inf, gt=0)


class RegistryFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: dict[str, ProviderEntry]
    models: dict[str, ModelEntry]
    chains: dict[str, ChainEntry]

    @field_validator("chains", mode="before")
    @classmethod
    def _lists(cls, chains: Any) -> Any:
        """A chain that is only a list is one in the order given."""
        if not isinstance(chains, dict):
            return chains
        return {name: {"models": chain} if isinstance(chain, list) else chain for name, chain in chains.items()}


def read(source: Path, today: date) -> RegistryFile:
    """Read and check a file. Raises Misconfigured naming the entry, its value, the remedy."""
    try:
        content = tomllib.loads(source.read_text("utf-8"), parse_float=Decimal)
        file = RegistryFile.model_validate(content)
    except OSError as error:
        raise Misconfigured(f"model registry {source}: {error.strerror}: correct PENSTOCK_MODELS_FILE") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"model registry {source} is not TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise Misconfigured(f"model registry {source}: " + "; ".join(lines)) from error
    if wrong := list(_problems(file, today)):
        raise Misconfigured(f"model registry {source}: " + "; ".join(wrong))
    return file


def _problems(file: RegistryFile, today: date) -> Iterable[str]:
    """What pydantic cannot see: names that lead nowhere."""
    for name, provider in file.providers.items():
        if not provider.base_url and not provider.base_url_env:
            yield f"providers.{name} has no address: give it base_url or base_url_env"
        if not provider.base_url and provider.base_url_env not in provider.needs:
            yield f"providers.{name}: {provider.base_url_env!r} is its only address: list it in needs"
    for name, model in file.models.items():
        if model.provider not in file.providers:
            yield f"models.{name}.provider = {model.provider!r} is no provider: one of {', '.join(file.providers)}"
        if model.max_output >= model.context_window:
            yield f"models.{name}.max_output = {model.max_output} leaves no room in its context window: lower it"
        yield from (f"models.{name}.{said}" for said in _priced_wrong(model, today))
    if LOCAL in file.models:
        yield f"models.{LOCAL}: the name is taken by the rules-based model: choose another"
    for chain, entry in file.chains.items():
        for name in entry.models:
            if name not in file.models and name != LOCAL:
                yield f"chains.{chain} names {name!r}, which is no model: add [models.{name}] or take it out"


def _priced_wrong(model: ModelEntry, today: date) -> Iterable[str]:
    """What is wrong with a model's prices."""
    if model.prices and model.priced_plainly:
        yield "prices: the entry has a price beside its list: move it into the list, with the day since which it holds"
    elif model.prices:
        yield from (f"prices: {said}" for said in problems(model.price_list, today))
    else:
        for name in ("input_usd_per_million", "output_usd_per_million"):
            if getattr(model, name) is None:
                yield f"{name}: Field required (0 where it costs nothing; or a list of prices with their days)"


def _price(entry: PriceEntry | ModelEntry, since: date) -> Price:
    return Price(
        since,
        entry.input_usd_per_million or Decimal(0),
        entry.output_usd_per_million or Decimal(0),
        entry.cached_usd_per_million,
        entry.cache_write_usd_per_million,
    )
