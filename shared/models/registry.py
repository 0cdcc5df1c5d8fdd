"""The model registry as a value: providers, models, prices, chains, and which of them are configured here.

What is configured is decided once, when the registry is loaded: a chain never changes under a running document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from shared.core.choosing import Wish
from shared.core.errors import Failed, Misconfigured
from shared.core.failures import Failure
from shared.core.limits import Pair
from shared.core.stage import MODEL
from shared.core.usage import Usage
from shared.models.forms import USUAL, Form
from shared.models.prices import FREE, Price, price_on
from shared.models.registry_file import LOCAL, ModelEntry, ProviderEntry, read

SHIPPED = Path(__file__).with_name("models.toml")
"""The registry that comes with Penstock."""


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
    prices: Sequence[Price] = FREE
    """What its tokens cost, the oldest price first; never empty."""
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

    def cost(self, usage: Usage, on: date) -> float:
        """US dollars for one call made on that day, UTC; decimal inside, because prices are."""
        return float(price_on(self.prices, on).of(usage))


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


def load_registry(path: str, environment: Mapping[str, str], today: date | None = None) -> Registry:
    """Read the registry file (empty: the shipped one). Raises Misconfigured naming the entry, its value, the remedy.

    `today`: the day on which some price must hold; None: now.
    """
    source = Path(path) if path else SHIPPED
    file = read(source, today or datetime.now(UTC).date())
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
        prices=entry.price_list,
        form=entry.form or asked.form or USUAL[provider.wire],
        quality=entry.quality,
        limit=(entry.requests_per_minute, entry.tokens_per_minute),
    )


def _usable(models: list[Model]) -> tuple[Model, ...]:
    """Real models where there are any, else simulated ones, else the rules; a chain that lists the rules keeps them."""
    real = [m for m in models if not m.provider.simulated and m is not RULES]
    opted_in = [m for m in models if m is RULES]
    return tuple((real or [m for m in models if m.provider.simulated]) + opted_in) or (RULES,)
