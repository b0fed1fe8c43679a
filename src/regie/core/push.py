"""Messages to a browser that is closed: encrypted for it (RFC 8291, RFC 8188), signed by this installation (RFC 8292).

Nothing here sends anything: ``message`` gives headers and a body for a POST to the browser's endpoint. The libraries
that exist bring a client of their own that would leave past the guarded session, so these two short standards are here.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096  # bytes: one record holds all that a push service takes
LONGEST = RECORD - 17 - 86  # what is left for the payload after padding mark, tag and header
TOKEN_LASTS = timedelta(hours=12)  # RFC 8292 allows 24
CURVE = ec.SECP256R1()


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs our messages: the private number, 32 bytes. ``public`` is what browsers subscribe to."""

    private: bytes

    @classmethod
    def new(cls) -> Keys:
        return cls(ec.generate_private_key(CURVE).private_numbers().private_value.to_bytes(32, "big"))

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self.private, "big"), CURVE)

    @property
    def public(self) -> str:
        return b64(point_of(self.key))

    def __repr__(self) -> str:
        return "Keys(...)"


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser can be reached, and its own keys: a point of 65 bytes, and 16 bytes."""

    endpoint: str
    p256dh: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Message:
    headers: dict[str, str]
    body: bytes


def message(payload: bytes, *, to: Browser, by: Keys, subject: str, now: datetime, ttl: timedelta) -> Message:
    """A POST for the browser's endpoint. ``subject``: whom a push service may write to, mailto: or https:.

    Raises ValueError when the browser's keys are none, or the payload is too long.
    """
    headers = {
        "Authorization": f"vapid t={_token(to.endpoint, by, subject, now)}, k={by.public}",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(ttl.total_seconds())),
        "Urgency": "high",
    }
    return Message(headers, encrypted(payload, to=to))


def encrypted(
    payload: bytes, *, to: Browser, salt: bytes = b"", once: ec.EllipticCurvePrivateKey | None = None
) -> bytes:
    """One record of aes128gcm, under a key pair and a salt used once. Raises ValueError."""
    if len(payload) > LONGEST:
        raise ValueError("Too long for a push message.")
    salt, once = salt or secrets.token_bytes(16), once or ec.generate_private_key(CURVE)
    theirs, ours = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, to.p256dh), point_of(once)
    shared = once.exchange(ec.ECDH(), theirs)
    secret = _hkdf(shared, to.auth, b"WebPush: info\0" + to.p256dh + ours, 32)
    key, nonce = _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16), _hkdf(secret, salt, NONCE, 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, payload + b"\x02", None)


NONCE = b"Content-Encoding: nonce\0"


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _token(endpoint: str, keys: Keys, subject: str, now: datetime) -> str:
    """A JSON web token, ES256, for the push service of the endpoint."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int((now + TOKEN_LASTS).timestamp()), "sub": subject}
    said = ".".join(b64(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(keys.key.sign(said.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{said}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Raises ValueError."""
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
