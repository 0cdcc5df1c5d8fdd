"""Names of settings: an unknown one is told with its nearest, and each value says where it came from."""

import pytest

from shared.setting_names import Origin, origin, unknown

KNOWN = {"redis_url": [], "breaker": ["threshold"], "kafka": None, "extract": None}


@pytest.mark.parametrize(
    ("environment", "file", "said"),
    [
        ({"PENSTOCK_REDDIS_URL": "x"}, {}, "did you mean PENSTOCK_REDIS_URL?"),
        ({"PENSTOCK_KAFAK__ACKS": "x"}, {}, "PENSTOCK_KAFAK__ACKS is no setting"),
        ({"PENSTOCK_BREAKER__TRESHOLD": "x"}, {}, "did you mean PENSTOCK_BREAKER__THRESHOLD?"),
        ({}, {"redis_ulr": "x"}, "did you mean redis_url?"),
        ({}, {"breaker": {"treshold": 3}}, "did you mean breaker.threshold?"),
        ({}, {"extrakt": {"workers": 3}}, "did you mean extract?"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_known_one(
    environment: dict[str, str], file: dict[str, object], said: str
) -> None:
    [sentence] = unknown(environment, file, KNOWN)
    assert said in sentence


@pytest.mark.parametrize(
    "environment",
    [
        {"PENSTOCK_REDIS_URL": "x", "penstock_redis_url": "x"},
        {"PENSTOCK_KAFKA__SASL_USERNAME": "x", "PENSTOCK_EXTRACT__ANYTHING": "x"},
        {"PENSTOCK_CONFIG": "x", "PENSTOCK_MODELSIM_PORT": "1"},
        {"PENSTOCK_REDIS_PORT": "tcp://10.0.0.1:6379", "PENSTOCK_REDIS_SERVICE_HOST": "10.0.0.1"},
        {"PENSTOCK_REDIS_PORT_6379_TCP_ADDR": "10.0.0.1", "OTHER": "x"},
    ],
)
def test_what_is_known_or_was_set_by_the_cluster_is_no_error(environment: dict[str, str]) -> None:
    assert list(unknown(environment, {"kafka": {"acks": "all"}, "extract": {"workers": 2}}, KNOWN)) == []


def test_a_value_says_where_it_came_from() -> None:
    where = {"PENSTOCK_REDIS_URL": "x"}, {"breaker": {"threshold": 3}}, {"kafka": {"bootstrap_servers": "x"}}
    assert origin("redis_url", *where) is Origin.ENVIRONMENT
    assert origin("breaker.threshold", *where) is Origin.FILE
    assert origin("kafka.bootstrap_servers", *where) is Origin.STARTED
    assert origin("breaker.recovery", *where) is Origin.DEFAULT
