from typing import Any

import faust
import pytest

from services.insights.access import credentials
from shared.core.errors import Misconfigured

SCRAM = {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "ann", "sasl.password": "secret"}


def test_a_kafka_that_asks_nobody_is_told_nothing() -> None:
    assert credentials({"bootstrap.servers": "k:9092"}) is None
    assert credentials({"security.protocol": "plaintext"}) is None


@pytest.mark.parametrize("protocol", ["sasl_plaintext", "SASL_SSL"])
def test_a_name_and_a_password_are_handed_on(protocol: str) -> None:
    found = credentials({"security.protocol": protocol, **SCRAM})
    assert isinstance(found, faust.SASLCredentials)
    assert (found.username, found.password, found.mechanism.value) == ("ann", "secret", "SCRAM-SHA-512")
    assert found.protocol.value == protocol.upper()


def test_tls_checks_the_host_unless_it_is_told_otherwise() -> None:
    strict = credentials({"security.protocol": "SSL"})
    lax = credentials({"security.protocol": "SSL", "enable.ssl.certificate.verification": "false"})
    assert strict is not None
    assert lax is not None
    assert (strict.context.check_hostname, lax.context.check_hostname) == (True, False)


@pytest.mark.parametrize(
    "kafka",
    [
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"},
        {"security.protocol": "telepathy"},
        {"security.protocol": "SSL", "ssl.ca.location": "no/such/file.pem"},
    ],
)
def test_what_faust_cannot_do_is_said_at_the_start(kafka: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="insights"):
        credentials(kafka)
