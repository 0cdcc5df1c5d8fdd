"""The model registry: which models are configured where, and what a broken file is told."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from shared.core.choosing import Wish
from shared.core.errors import Misconfigured
from shared.core.usage import Usage
from shared.models.prices import Price
from shared.models.registry import RULES, load_registry

SIM = {"PENSTOCK_MODELSIM_URL": "http://127.0.0.1:4010"}
PROVIDER = '[providers.p]\nwire = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n'
MODEL = (
    '[models.m]\nprovider = "p"\ncontext_window = 1000\nmax_output = 100\n'
    "input_usd_per_million = 0.1\noutput_usd_per_million = 0.3\npriced_on = 2026-01-01\n"
)
CHAINS = '[chains]\nanalyst = ["m"]\n'
WHOLE = PROVIDER + MODEL + CHAINS


def names(environment: dict[str, str]) -> list[str]:
    return [model.name for model in load_registry("", environment).chain("analyst")]


def written(folder: Path, text: str) -> str:
    path = folder / "models.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_where_nothing_is_configured_the_rules_answer() -> None:
    assert load_registry("", {}).chain("analyst") == (RULES,)


def test_the_simulated_provider_stands_in_for_the_rules() -> None:
    assert names(SIM) == ["sim-large", "sim-small", "sim-anthropic"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OPENAI_API_KEY": "k"}, ["gpt-5-mini", "gpt-4.1"]),
        ({"ANTHROPIC_API_KEY": "k"}, ["claude-haiku", "claude-sonnet"]),
        ({"GEMINI_API_KEY": "k"}, ["gemini-flash"]),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}, ["own"]),
    ],
)
def test_a_real_provider_stands_in_for_the_simulated_one(environment: dict[str, str], expected: list[str]) -> None:
    assert names(environment) == expected
    assert names(environment | SIM) == expected


def test_the_two_real_providers_share_the_chain_in_its_order() -> None:
    assert names({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}) == [
        "gpt-5-mini",
        "claude-haiku",
        "gpt-4.1",
        "claude-sonnet",
    ]


def test_a_key_set_to_nothing_is_no_key() -> None:
    assert names({"OPENAI_API_KEY": "", **SIM})[0] == "sim-large"


def test_addresses_and_the_own_models_name_come_from_the_environment() -> None:
    (model,) = load_registry("", {"OPENAI_BASE_URL": "http://10.0.0.5/v1/", "OPENAI_MODEL": "qwen3"}).chain("analyst")
    assert (model.id, model.provider.base_url) == ("qwen3", "http://10.0.0.5/v1")


def test_gemini_is_asked_at_its_openai_compatible_address() -> None:
    (model,) = load_registry("", {"GEMINI_API_KEY": "k"}).chain("qa")
    assert (model.provider.wire, model.id) == ("openai", "gemini-2.5-flash")
    assert model.provider.base_url == "https://generativelanguage.googleapis.com/v1beta/openai"


@pytest.mark.parametrize("task", ["extraction", "summarization", "qa"])
def test_every_task_has_specialists_and_the_general_chain_knows_more_models(task: str) -> None:
    registry = load_registry("", {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k"})
    assert set(registry.chain(task)) < set(registry.chain("analyst"))


def test_a_model_is_asked_in_the_form_of_its_entry_else_of_its_provider_else_of_its_wire(tmp_path: Path) -> None:
    def form(text: str) -> str:
        (model,) = load_registry(written(tmp_path, text), {}).chain("analyst")
        return model.form

    of_provider = WHOLE.replace('wire = "openai"', 'wire = "openai"\nform = "tools"')
    of_model = of_provider.replace('provider = "p"', 'provider = "p"\nform = "text"')
    assert [form(WHOLE), form(of_provider), form(of_model)] == ["json_schema", "tools", "text"]


def test_a_key_is_never_printed() -> None:
    assert "s3cret" not in repr(load_registry("", {"OPENAI_API_KEY": "s3cret"}))


def test_a_key_with_odd_characters_is_refused_without_being_shown() -> None:
    with pytest.raises(Misconfigured, match="OPENAI_API_KEY is no key") as caught:
        load_registry("", {"OPENAI_API_KEY": "s3cret\nsecond line"})
    assert "s3cret" not in str(caught.value)


def test_a_file_of_ones_own_replaces_the_shipped_one_and_prices_are_exact(tmp_path: Path) -> None:
    (model,) = load_registry(written(tmp_path, WHOLE), {}).chain("analyst")
    assert model.prices == (Price(date.min, Decimal("0.1"), Decimal("0.3")),)
    assert model.cost(Usage(3, 1), date(2026, 1, 1)) == 6e-07


def test_a_chain_that_lists_the_rules_keeps_them_at_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, PROVIDER + MODEL + '[chains]\nanalyst = ["local", "m"]\n')
    assert [model.name for model in load_registry(path, {}).chain("analyst")] == ["m", "local"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[providers", "is not TOML"),
        (WHOLE.replace("max_output", "max_outputs"), "models.m.max_outputs = 100: Extra inputs"),
        (WHOLE.replace('"openai"', '"telex"'), "providers.p.wire = 'telex'"),
        (WHOLE.replace('provider = "p"', 'provider = "p"\nform = "prose"'), "models.m.form = 'prose'"),
        (WHOLE.replace('provider = "p"', 'provider = "q"'), "models.m.provider = 'q' is no provider: one of p"),
        (WHOLE.replace('["m"]', '["n"]'), "chains.analyst names 'n', which is no model: add"),
        (WHOLE.replace("max_output = 100", "max_output = 1000"), "leaves no room in its context window"),
        (WHOLE.replace('base_url = "http://127.0.0.1:1/v1"\n', ""), "providers.p has no address"),
        (WHOLE.replace("models.m]", "models.local]"), "the name is taken"),
        (MODEL + CHAINS, "providers"),
    ],
)
def test_a_broken_file_is_told_the_entry_its_value_and_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_registry(written(tmp_path, text), {})
    assert told in str(caught.value)
    assert "models.toml" in str(caught.value)


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="correct PENSTOCK_MODELS_FILE"):
        load_registry(str(tmp_path / "none.toml"), {})


def test_limits_and_the_order_of_a_chain_are_read(tmp_path: Path) -> None:
    limited = MODEL + "requests_per_minute = 300\ntokens_per_minute = 60_000\nquality = 0.7\n"
    chains = '[chains]\nanalyst = { models = ["m"], order = "cheapest", quality = 0.5, seconds = 20 }\nother = ["m"]\n'
    registry = load_registry(written(tmp_path, PROVIDER + limited + chains), {})
    (model,) = registry.chain("analyst")
    assert (model.limit, model.quality) == ((300, 60_000), 0.7)
    assert registry.wishes == {"analyst": Wish(0.5, 20)}
    assert registry.chain("other") == (model,)


def test_a_model_needs_no_limits(tmp_path: Path) -> None:
    (model,) = load_registry(written(tmp_path, WHOLE), {}).chain("analyst")
    assert model.limit == (0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROVIDER + MODEL + "requests_per_minute = 0\n" + CHAINS, "models.m.requests_per_minute = 0: "),
        (PROVIDER + MODEL + 'tokens_per_minute = "many"\n' + CHAINS, "models.m.tokens_per_minute = 'many': "),
        (PROVIDER + MODEL + "request_per_minute = 3\n" + CHAINS, "models.m.request_per_minute = 3: "),
        (PROVIDER + MODEL + "quality = 7\n" + CHAINS, "models.m.quality = 7: "),
        (PROVIDER + MODEL + '[chains]\na = {models = ["m"], order = "dearest"}\n', "chains.a.order = 'dearest': "),
        (PROVIDER + MODEL + '[chains]\na = {models = ["n"], order = "cheapest"}\n', "chains.a names 'n'"),
    ],
)
def test_a_wrong_limit_or_order_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_registry(written(tmp_path, text), {})
    assert said in str(caught.value)
