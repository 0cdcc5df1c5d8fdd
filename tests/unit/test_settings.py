"""Where settings come from, and which one wins."""

import json
from pathlib import Path

import pytest

from shared.core.errors import Misconfigured
from shared.settings import Settings, load

EMBEDDED = "127.0.0.1:19092"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with an embedded Kafka, no file, no variables."""
    monkeypatch.chdir(tmp_path)
    for variable in ("PENSTOCK_KAFKA__BOOTSTRAP_SERVERS", "PENSTOCK_GROUP_PROTOCOL", "PENSTOCK_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))
    endpoints = {"kafka": EMBEDDED, "redis": None, "database": "postgresql://embedded"}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), "utf-8")


def loaded(file: str = "") -> Settings:
    """The settings, with this file."""
    Path("penstock.toml").write_text(file, "utf-8")
    return load()


def test_what_is_not_set_is_the_embedded_part() -> None:
    settings = loaded()
    assert settings.kafka.properties() == {"bootstrap.servers": EMBEDDED}
    assert settings.database_url.get_secret_value() == "postgresql://embedded"
    assert settings.redis_url.get_secret_value() == ""


def test_the_file_wins_over_the_embedded_part_and_the_environment_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = '[kafka]\nbootstrap_servers = "file:9092"\nsecurity_protocol = "SSL"'
    assert loaded(file).kafka.properties() == {"bootstrap.servers": "file:9092", "security.protocol": "SSL"}
    monkeypatch.setenv("PENSTOCK_KAFKA__BOOTSTRAP_SERVERS", "variable:9092")
    assert loaded(file).kafka.bootstrap_servers == "variable:9092"


def test_the_newer_group_protocol_is_for_the_embedded_broker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded().group_protocol == "consumer"
    assert loaded('[kafka]\nbootstrap_servers = "file:9092"').group_protocol == ""
    monkeypatch.setenv("PENSTOCK_KAFKA__BOOTSTRAP_SERVERS", "variable:9092")
    assert loaded().group_protocol == ""
    monkeypatch.setenv("PENSTOCK_KAFKA__BOOTSTRAP_SERVERS", EMBEDDED)
    assert loaded().group_protocol == "consumer"
    monkeypatch.setenv("PENSTOCK_GROUP_PROTOCOL", "classic")
    assert loaded().group_protocol == "classic"


def test_quality_differs_by_document_type_and_by_model() -> None:
    file = "[quality]\nretry_below = 0.75\n[quality.types.contract]\nretry_below = 0.9\n[quality.models.small]\n"
    policy = loaded(file + "structured_below = 0.5").quality.policy()
    assert (policy.retry_below, policy.structured_below) == (0.75, 0.6)
    found = policy.of("contract", "small")
    assert (found.retry_below, found.structured_below) == (0.9, 0.5)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("health_port = 70000", "health_port = 70000"),
        ('group_protocol = "share"', "group_protocol = 'share'"),
        ("[breaker]\ntreshold = 3", "treshold"),
        ("kafka = ", "is not TOML"),
        ("[quality]\nretry_below = 7", "quality.retry_below = 7: "),
        ("[quality]\nretry_below = 0.5", "structured_below = 0.6 is above retry_below = 0.5: it may be as high"),
        ("[quality.types.invoice]\nretry_bellow = 0.5", "quality.types.invoice.retry_bellow"),
        ("[quality.models.small]\nstructured_below = 0.8", "0.8 is above retry_below = 0.7 for small"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(file: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        loaded(file)
