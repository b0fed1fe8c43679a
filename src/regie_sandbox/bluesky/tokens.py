"""Sessions and tokens: bearer tokens of app passwords, and tokens bound to a key (DPoP) of OAuth."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Token
from regie_sandbox.bluesky.store import Store

ACCESS_LASTS, REFRESH_LASTS = 2 * 3600, 60 * 86_400  # app password sessions
GRACE = 2 * 3600  # a traded refresh token of a session goes on working this long
OAUTH_ACCESS_LASTS, OAUTH_REFRESH_LASTS = 3600, 14 * 86_400
NONCE_LASTS = 180
PROOF_LASTS = 60
MOST_PROOFS = 50_000


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    def __init__(self, store: Store) -> None:
        self.store = store
        if not store.state.secret:
            store.state.secret = secrets.token_hex(16)
        self._proofs: dict[str, float] = {}  # jti -> when, so that no proof counts twice

    def _now(self) -> float:
        return self.store.now().timestamp()

    def _signed(self, claims: Mapping[str, Any]) -> str:
        """A token the vendor's clients can look into. Our own lookup goes by the whole text."""
        parts = [b64(json.dumps(part).encode()) for part in ({"typ": "at+jwt", "alg": "HS256"}, claims)]
        what = ".".join(parts)
        return f"{what}.{b64(hmac.digest(self.store.state.secret.encode(), what.encode(), 'sha256'))}"

    def pair(
        self, did: str, *, family: str = "", jkt: str = "", scope: str = "com.atproto.access", client_id: str = ""
    ) -> tuple[str, str]:
        """A new access and refresh token."""
        family = family or secrets.token_hex(8)
        lasts = (OAUTH_ACCESS_LASTS, OAUTH_REFRESH_LASTS) if jkt else (ACCESS_LASTS, REFRESH_LASTS)
        made = []
        for refresh in (False, True):
            expires = self._now() + lasts[refresh]
            claims = {
                "scope": "com.atproto.refresh" if refresh and not jkt else scope,
                "sub": did,
                "iat": int(self._now()),
                "exp": int(expires),
                "jti": secrets.token_hex(12),
            }
            text = f"ref-{secrets.token_hex(24)}" if refresh and jkt else self._signed(claims)
            self.store.state.tokens[text] = Token(did, family, expires, refresh, jkt, scope, client_id)
            made.append(text)
        return made[0], made[1]

    def end(self, family: str) -> None:
        tokens = self.store.state.tokens
        for text in [text for text, token in tokens.items() if token.family == family]:
            del tokens[text]

    # App password sessions

    def traded(self, text: str) -> tuple[Token, tuple[str, str]]:
        """A fresh pair for a session's refresh token; twice within the grace period gives the same pair."""
        token = self.bearer(text, refresh=True)
        if not token.used:
            token.used, token.expires = True, min(token.expires, self._now() + GRACE)
            token.successor = self.pair(token.did, family=token.family)
        return token, token.successor

    def bearer(self, text: str, *, refresh: bool = False) -> Token:
        token = self.store.state.tokens.get(text)
        if token is None or token.jkt:
            raise invalid("Token could not be verified", "InvalidToken")
        if token.refresh != refresh:
            raise invalid("Invalid token type", "InvalidToken")
        if token.expires <= self._now():
            raise invalid("Token has expired", "ExpiredToken")
        return token

    # Any request

    def of(self, request: web.Request) -> Token:
        """Who asks. Raises the vendor's refusal."""
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            token = self.bearer(text)
        elif kind == "DPoP":
            token = self._bound(request, text)
        else:
            raise Problem(401, "AuthMissing", "Authentication Required")
        account = self.store.state.accounts[token.did]
        if account.closed:
            raise Problem(401, "AccountTakedown", "Account has been taken down")
        return token

    def _bound(self, request: web.Request, text: str) -> Token:
        try:
            jkt = self.proven(request, token=text)
        except Problem as problem:
            raise self._challenge(problem.error, problem.message) from None
        token = self.store.state.tokens.get(text)
        if token is None or token.refresh or token.jkt != jkt:
            raise self._challenge("invalid_token", "Invalid token")
        if token.expires <= self._now():
            raise self._challenge("invalid_token", '"exp" claim timestamp check failed')
        return token

    def _challenge(self, error: str, message: str) -> Problem:
        headers = {"WWW-Authenticate": f'DPoP error="{error}", error_description="{message.replace(chr(34), "")}"'}
        return Problem(401, error, message, headers | self.nonce_header())

    # Proofs

    def nonce_header(self) -> dict[str, str]:
        return {"DPoP-Nonce": self._nonce(0)}

    def _nonce(self, ago: int) -> str:
        slot = int(time.time() // NONCE_LASTS) - ago
        return b64(hmac.digest(self.store.state.secret.encode(), f"nonce:{slot}".encode(), "sha256"))[:24]

    def proven(self, request: web.Request, *, token: str = "") -> str:
        """The thumbprint of the key behind a request's proof (RFC 9449). Times are the machine's, as the client's."""
        text = request.headers.get("DPoP", "")
        header, claims, jkt = _opened(text)
        if header.get("typ") != "dpop+jwt" or not isinstance(claims.get("jti"), str):
            raise invalid("Invalid DPoP proof", "invalid_dpop_proof")
        url = f"{request.scheme}://{request.host}{request.path}"
        if claims.get("htm") != request.method or claims.get("htu") != url:
            raise invalid("DPoP htm or htu mismatch", "invalid_dpop_proof")
        if claims.get("nonce") not in (self._nonce(0), self._nonce(1)):
            raise Problem(
                400,
                "use_dpop_nonce",
                f"{'Resource' if token else 'Authorization'} server requires nonce in DPoP proof",
                self.nonce_header(),
            )
        if abs(time.time() - float(claims.get("iat", 0))) > PROOF_LASTS:
            raise invalid("DPoP iat too old", "invalid_dpop_proof")
        if token and claims.get("ath") != b64(hashlib.sha256(token.encode()).digest()):
            raise invalid("DPoP ath mismatch", "invalid_dpop_proof")
        self._once(claims["jti"])
        return jkt

    def _once(self, jti: str) -> None:
        if jti in self._proofs:
            raise invalid("DPoP proof replayed", "invalid_dpop_proof")
        if len(self._proofs) >= MOST_PROOFS:
            old = time.time() - 2 * NONCE_LASTS
            self._proofs = {name: at for name, at in self._proofs.items() if at > old}
        self._proofs[jti] = time.time()


def _opened(text: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and key thumbprint of a proof that carries its own key."""
    try:
        header = json.loads(unb64(text.split(".")[0]))
        claims = verified(text, header["jwk"])
        if "d" in header["jwk"]:
            raise ValueError("a private key")
        return header, claims, thumbprint(header["jwk"])
    except (ValueError, KeyError, IndexError, TypeError, InvalidSignature):
        raise invalid("Invalid DPoP proof", "invalid_dpop_proof") from None


def verified(text: str, jwk: Mapping[str, str]) -> dict[str, Any]:
    """The claims of an ES256 token, checked with a public key. Raises ValueError, KeyError or InvalidSignature."""
    head, body, signature = text.split(".")
    if json.loads(unb64(head)).get("alg") != "ES256" or jwk["crv"] != "P-256":
        raise ValueError("not ES256")
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in "xy")
    numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    numbers.public_key().verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    claims: dict[str, Any] = json.loads(unb64(body))
    return claims


def thumbprint(jwk: Mapping[str, str]) -> str:
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return b64(hashlib.sha256(canonical.encode()).digest())
