"""The model registry as a value: providers, models, prices, chains, and which of them are configured here.

What is configured is decided once, when the registry is loaded: a chain never changes under a running document.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.core.choosing import Wish
from shared.core.errors import Failed, Misconfigured
from shared.core.failures import Failure
from shared.core.limits import Pair
from shared.core.stage import MODEL
from shared.models.forms import USUAL, Form

SHIPPED = Path(__file__).with_name("models.toml")
"""The registry that comes with Penstock."""

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


class ModelEntry(BaseModel):
    """A model as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    id: str = ""
    id_env: str = ""
    context_window: int = Field(gt=0)
    max_output: int = Field(gt=0)
    input_usd_per_million: Decimal = Field(ge=0)
    output_usd_per_million: Decimal = Field(ge=0)
    priced_on: date
    form: Form | None = None
    requests_per_minute: int = Field(default=0, ge=1, le=10_000_000)
    tokens_per_minute: int = Field(default=0, ge=1, le=10_000_000_000)
    quality: float = Field(default=1.0, ge=0, le=1)


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


@dataclass(frozen=True, slots=True)
class Provider:
    """Where models are asked."""

    name: str
    """Name in the registry."""
    wire: str
    """`openai`, `anthropic`, or `local` for the model of this process."""
    base_url: str = ""
    """Address that the wire's paths follow."""
    key: str = field(default="", repr=False)
    """Key; empty where it wants none."""
    timeout: float = 90.0
    """Seconds a whole call may take."""
    stream: bool = True
    """Answers come in pieces, so that a call that is dead is noticed long before the whole time is over."""
    first_token: float = 60.0
    """Seconds within which the first piece of a streamed answer must come: a model may think before it writes."""
    stall: float = 30.0
    """Seconds within which each further piece must come."""
    limit_field: str = "max_completion_tokens"
    """What the OpenAI wire calls the most tokens of an answer; it was renamed, and not everybody followed."""
    simulated: bool = False
    """It only plays a provider."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be asked here."""

    name: str
    """Name in the registry; its breaker is `model:<name>`."""
    id: str
    """What the provider calls it."""
    provider: Provider
    """Who runs it."""
    context_window: int
    """Tokens of question and answer together."""
    max_output: int
    """Most tokens of an answer."""
    input_price: Decimal = Decimal(0)
    """US dollars per million tokens of the question."""
    output_price: Decimal = Decimal(0)
    """US dollars per million tokens of the answer."""
    form: Form = Form.TEXT
    """How it is asked for JSON."""
    limit: Pair = (0, 0)
    """Requests and tokens per minute that its provider allows; 0: none is known."""
    quality: float = 1.0
    """What the file's author thinks of its answers, for chains that ask the cheapest one first."""

    @property
    def breaker(self) -> str:
        """Its dependency, as `penstock breakers` names it."""
        return f"{MODEL}{self.name}"

    @property
    def paid(self) -> bool:
        """Whether a request leaves this process."""
        return self.provider.wire != LOCAL

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars for one call; decimal inside, because prices are."""
        return float((input_tokens * self.input_price + output_tokens * self.output_price) / 1_000_000)


RULES = Model(LOCAL, "rules", Provider(LOCAL, LOCAL), context_window=10_000_000, max_output=100_000)
"""The rules-based model of this process: costs nothing, and says that its confidence is low."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The chains as they stand here."""

    chains: Mapping[str, tuple[Model, ...]]
    """Chain to its configured models, in order; never empty."""
    source: str = field(default=str(SHIPPED), compare=False)
    """The file it was read from."""
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    """Chains of which the cheapest model that fits is asked first, and what they want of it."""

    def knows(self, name: str) -> bool:
        """Whether the file has the chain."""
        return name in self.chains

    def chain(self, name: str) -> tuple[Model, ...]:
        """The models of a chain. Raises Misconfigured where the file has no such chain."""
        if name not in self.chains:
            raise Misconfigured(f"{self.source}: no chain {name!r} (has: {', '.join(self.chains)}): add it to [chains]")
        return self.chains[name]

    @property
    def models(self) -> dict[str, Model]:
        """Every model of some chain, by its name."""
        return {model.name: model for models in self.chains.values() for model in models}

    def only(self, name: str) -> "Registry":
        """The same chains with this one model in each. Raises Failed(model_unknown) where no chain has it."""
        model = self.models.get(name)
        if model is None:
            has = ", ".join(self.models)
            raise Failed(Failure.MODEL_UNKNOWN, f"{self.source}: no chain has the model {name!r} (they have: {has})")
        return replace(self, chains=dict.fromkeys(self.chains, (model,)))


def load_registry(path: str, environment: Mapping[str, str]) -> Registry:
    """Read the registry file (empty: the shipped one). Raises Misconfigured naming the entry, its value, the remedy."""
    source = Path(path) if path else SHIPPED
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
    if problems := list(_problems(file)):
        raise Misconfigured(f"model registry {source}: " + "; ".join(problems))
    providers = {name: _provider(name, entry, environment) for name, entry in file.providers.items()}
    models = {
        name: _model((name, entry), file.providers[entry.provider], providers[entry.provider], environment)
        for name, entry in file.models.items()
    }
    available = {
        name for name, entry in file.models.items() if _configured(file.providers[entry.provider], environment)
    }
    known = {**{name: models[name] for name in available}, LOCAL: RULES}
    return Registry(
        {name: _usable([known[one] for one in chain.models if one in known]) for name, chain in file.chains.items()},
        str(source),
        {name: Wish(c.quality, c.seconds) for name, c in file.chains.items() if c.order == "cheapest"},
    )


def _problems(file: RegistryFile) -> Iterable[str]:
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
    if LOCAL in file.models:
        yield f"models.{LOCAL}: the name is taken by the rules-based model: choose another"
    for chain, entry in file.chains.items():
        for name in entry.models:
            if name not in file.models and name != LOCAL:
                yield f"chains.{chain} names {name!r}, which is no model: add [models.{name}] or take it out"


def _configured(provider: ProviderEntry, environment: Mapping[str, str]) -> bool:
    return all(environment.get(variable) for variable in provider.needs)


def _provider(name: str, entry: ProviderEntry, environment: Mapping[str, str]) -> Provider:
    address = environment.get(entry.base_url_env, "") or entry.base_url
    key = environment.get(entry.key_env, "").strip()
    if not key.isascii() or len(key.split()) > 1:
        raise Misconfigured(f"{entry.key_env} is no key (blanks or odd characters in it, not shown): copy it again")
    return Provider(
        name=name,
        wire=entry.wire,
        base_url=address.rstrip("/") + entry.base_path,
        key=key,
        timeout=entry.timeout,
        stream=entry.stream,
        first_token=entry.first_token,
        stall=entry.stall,
        limit_field=entry.limit_field,
        simulated=entry.simulated,
    )


def _model(
    named: tuple[str, ModelEntry], asked: ProviderEntry, provider: Provider, environment: Mapping[str, str]
) -> Model:
    name, entry = named
    return Model(
        name=name,
        id=environment.get(entry.id_env, "") or entry.id or name,
        provider=provider,
        context_window=entry.context_window,
        max_output=entry.max_output,
        input_price=entry.input_usd_per_million,
        output_price=entry.output_usd_per_million,
        form=entry.form or asked.form or USUAL[provider.wire],
        quality=entry.quality,
        limit=(entry.requests_per_minute, entry.tokens_per_minute),
    )


def _usable(models: list[Model]) -> tuple[Model, ...]:
    """Real models where there are any, else simulated ones, else the rules; a chain that lists the rules keeps them."""
    real = [m for m in models if not m.provider.simulated and m is not RULES]
    opted_in = [m for m in models if m is RULES]
    return tuple((real or [m for m in models if m.provider.simulated]) + opted_in) or (RULES,)
