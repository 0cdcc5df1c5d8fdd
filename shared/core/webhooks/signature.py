"""How a request of a webhook is signed: after Standard Webhooks 1.0.0, symmetric, scheme `v1`.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. Signed is
`{id}.{timestamp}.{body}`, with HMAC-SHA256; a secret is written in base64 after `whsec_`. The id is within it, so that
nobody can send a recorded request once more under an id that its receiver has not seen yet.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
LEAST, MOST = 24, 64
"""Bytes of a secret, as the specification has them."""


def secret_of(text: str) -> bytes:
    """The bytes of a secret: base64 after `whsec_`, else the text itself. Raises ValueError without telling it."""
    try:
        secret = (
            base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else text.encode()
        )
    except binascii.Error:
        raise ValueError(f"what follows {PREFIX} is not base64") from None
    if not LEAST <= len(secret) <= MOST:
        raise ValueError(f"it has {len(secret)} bytes: give it {LEAST} to {MOST}")
    return secret


def signature(secret: bytes, message_id: str, timestamp: int, body: str) -> str:
    """One signature."""
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def signed_headers(secrets: Sequence[bytes], message_id: str, timestamp: int, body: str) -> Mapping[str, str]:
    """The headers of one try; several secrets sign side by side, for as long as one takes another's place."""
    said = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if secrets:
        said["webhook-signature"] = " ".join(signature(secret, message_id, timestamp, body) for secret in secrets)
    return said
