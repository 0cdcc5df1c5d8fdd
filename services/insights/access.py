"""How faust reaches the Kafka that the settings describe in librdkafka's words."""

import ssl
from collections.abc import Mapping
from typing import Any

import faust

from shared.core.errors import Misconfigured

SASL = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
"""What both clients speak with a name and a password."""


def credentials(kafka: Mapping[str, Any]) -> Any | None:
    """What faust is to say who it is; None where the Kafka asks nobody. Raises Misconfigured for what faust cannot."""
    protocol = str(kafka.get("security.protocol", "plaintext")).upper()
    if protocol == "PLAINTEXT":
        return None
    context = tls(kafka) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = str(kafka.get("sasl.mechanism", kafka.get("sasl.mechanisms", "PLAIN"))).upper()
    if protocol not in ("SASL_PLAINTEXT", "SASL_SSL") or mechanism not in SASL:
        raise Misconfigured(
            f"insights cannot reach a Kafka by {protocol} with {mechanism}: give it PLAIN or SCRAM, or leave it out"
        )
    return faust.SASLCredentials(
        username=str(kafka.get("sasl.username", "")),
        password=str(kafka.get("sasl.password", "")),
        mechanism=mechanism,
        ssl_context=context,
    )


def tls(kafka: Mapping[str, Any]) -> ssl.SSLContext:
    """The certificates that are trusted, and our own where there is one. Raises Misconfigured where one is missing."""
    try:
        context = ssl.create_default_context(cafile=kafka.get("ssl.ca.location") or None)
        if own := kafka.get("ssl.certificate.location"):
            context.load_cert_chain(own, kafka.get("ssl.key.location"), kafka.get("ssl.key.password"))
    except OSError as error:
        raise Misconfigured(f"insights: a certificate under [kafka] cannot be read: {error}") from error
    if str(kafka.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
