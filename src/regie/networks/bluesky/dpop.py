"""Proofs that a token is used by the one it was given to (DPoP, RFC 9449), and keys that sign for us."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from regie.networks.line import Answer

MOST_NONCES = 1000
_nonces: dict[str, str] = {}
"""Origin -> the nonce it last asked for. Nonces belong to a server, not to an account, and are no secret; keeping the
last one spares a refused request each time a connector is made."""


def new_key() -> str:
    """A private P-256 key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@lru_cache(maxsize=256)
def _loaded(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def public_jwk(pem: str) -> dict[str, str]:
    """The public half as a JSON Web Key."""
    numbers = _loaded(pem).public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(numbers.x.to_bytes(32, "big")),
        "y": b64(numbers.y.to_bytes(32, "big")),
    }


def thumbprint(jwk: Mapping[str, str]) -> str:
    """RFC 7638: the name of a key."""
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return b64(hashlib.sha256(canonical.encode()).digest())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(pem: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A JSON Web Token signed with ES256."""
    what = ".".join(b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    r, s = decode_dss_signature(_loaded(pem).sign(what.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{what}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def proof(pem: str, method: str, url: str, *, token: str = "") -> str:
    """The DPoP header for one request; with ``token``, bound to it."""
    claims: dict[str, Any] = {
        "jti": uuid.uuid4().hex,
        "iat": int(time.time()),  # the vendor checks our clock within a minute or so
        "htm": method,
        "htu": url.split("?", 1)[0],
    }
    if nonce := _nonces.get(origin(url)):
        claims["nonce"] = nonce
    if token:
        claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
    return signed(pem, {"typ": "dpop+jwt", "alg": "ES256", "jwk": public_jwk(pem)}, claims)


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def remember_nonce(url: str, answer: Answer) -> None:
    if nonce := answer.headers.get("dpop-nonce"):
        if len(_nonces) >= MOST_NONCES:
            _nonces.clear()
        _nonces[origin(url)] = nonce


def wants_nonce(answer: Answer) -> bool:
    """The server refused, before doing anything, because it wants its newest nonce in the proof."""
    if answer.status not in (400, 401) or "dpop-nonce" not in answer.headers:
        return False
    if "use_dpop_nonce" in answer.headers.get("www-authenticate", ""):
        return True
    try:
        body = answer.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("error") == "use_dpop_nonce"
