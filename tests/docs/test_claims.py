"""What the README and the decisions claim without running it is so."""

import re
import tomllib
from pathlib import Path

import pytest

from shared.cli.exits import Exit
from shared.cli.main import VERBS
from shared.core.drawing import as_mermaid
from shared.core.failures import REMEDIES, Failure
from shared.core.retry import RetryPolicy
from shared.core.topics import tier_name
from shared.models.registry import load_registry
from shared.pipelines.documents import DOCUMENTS
from shared.settings import Settings
from tests.docs.readme import ROOT, blocks, rows, text

TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
WRITTEN = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("s*/**/*.md")])


def test_it_is_read_in_one_sitting() -> None:
    assert len(text().splitlines()) < 300


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    gone = [link for link in links if ":" not in link and not (page.parent / link.partition("#")[0]).exists()]
    assert not gone


def test_every_anchor_is_a_heading() -> None:
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-") for line in headlines()}
    assert set(re.findall(r"\]\(#([^)]+)\)", text())) <= headings


def headlines() -> list[str]:
    return [line.lstrip("#") for line in text().splitlines() if line.startswith("## ")]


def test_the_picture_is_the_pipeline() -> None:
    [picture] = blocks("mermaid")
    assert picture.text.strip() == as_mermaid(DOCUMENTS).strip()


def test_make_has_every_target_that_is_named() -> None:
    known = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text(), re.MULTILINE))
    assert named
    assert named <= known


def test_what_is_not_run_exists() -> None:
    lines = [line.partition("#")[0].split() for block in blocks("sh") for line in block.lines]
    lines += [line.split() for line in re.findall(r"`(curl [^`]+)`", text())]
    assert {line[0] for line in lines} == {"make", "docker", "curl"}
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    for line in lines:
        for service in (word.partition("=")[0] for word in line if line[0] == "docker" and "=" in word):
            assert f"\n  {service}:" in compose
        for file in (word.partition("@")[2] for word in line if line[0] == "curl" and "@" in word):
            assert (ROOT / file).exists()


def test_every_verb_that_is_used_exists_and_what_is_said_to_be_missing_does_not() -> None:
    used = set(re.findall(r"(?:^\$ |`\$ |`)penstock ([a-z]+)", text(), re.MULTILINE))
    assert used
    assert used <= VERBS.keys()
    [missing] = re.findall(r"the verbs `([a-z ]+)`", text())
    assert not set(missing.split()) & VERBS.keys()


def test_the_remedies_are_those_of_the_code() -> None:
    said: dict[Failure, str] = {}
    for first, second, *_ in rows():
        remedy = re.split(r"[:, ]", first)[0]
        names = second.strip("`").split()
        if remedy in set(REMEDIES.values()) and set(names) <= set(Failure):
            said |= dict.fromkeys(map(Failure, names), remedy)
    assert said == REMEDIES


def test_attempts_map_to_the_retry_topics_of_the_code() -> None:
    policy, said = RetryPolicy(), {int(row[0]): row for row in rows() if row[0].isdecimal()}
    assert set(said) == set(range(1, policy.attempts + 1))
    for attempt, row in said.items():
        tier = policy.tier(attempt, None)
        assert (row[2] == "`<stage>.dlq`") == (tier is None)
        if tier is not None:
            assert row[1] == f"{policy.backoff(attempt):.0f} s"
            assert row[2] == f"`<stage>.retry.{tier_name(policy.tiers[tier - 1])}`"


def test_the_exit_codes_are_those_of_the_code() -> None:
    [said] = re.findall(r"Exit codes: (.*?)\.\s", text(), re.DOTALL)
    assert {int(number) for number in re.findall(r"\d+", said)} == {code.value for code in Exit}


def test_the_registry_with_a_model_of_ones_own_can_be_read(tmp_path: Path) -> None:
    [file] = [block for block in blocks("toml") if "[chains]" in block.text]
    path = tmp_path / "models.toml"
    path.write_text(file.text, "utf-8")
    assert [model.name for model in load_registry(str(path), {}).chain("analyst")] == ["qwen"]


def test_the_settings_of_a_pipeline_of_ones_own_are_settings() -> None:
    [file] = [block for block in blocks("toml") if "[chains]" not in block.text]
    assert tomllib.loads(file.text).keys() <= Settings.model_fields.keys()


def test_every_variable_that_is_named_is_a_setting() -> None:
    known = set(Settings.model_fields)
    named = {name.lower().partition("__")[0] for name in re.findall(r"PENSTOCK_([A-Z_]+)", text())}
    assert named
    assert named <= known
