"""What Google's APIs have in common: signing in (OAuth 2.0 with PKCE), tokens, and how an answer says no.

Sources: "Using OAuth 2.0 for Web Server Applications"; the error model of Google's APIs (google.rpc.Status, ErrorInfo).
"""

from __future__ import annotations

import base64
import hashlib
import secrets as dice
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from regie.networks.data import AppKeys, Login, SignedIn, SigningIn
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, Reader, read

HOSTS = {"page": "https://accounts.google.com", "token": "https://oauth2.googleapis.com"}
SCOPE = "https://www.googleapis.com/auth/"
SOON = timedelta(minutes=1)

SLOW_DOWN = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"))
RAN_OUT = frozenset(("authError", "ACCESS_TOKEN_EXPIRED"))
NO_PERMISSION = frozenset(("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
NOT_SWITCHED_ON = frozenset(("accessNotConfigured", "SERVICE_DISABLED"))


class Entity(BaseModel):
    """What comes from Google, as far as we read it."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class Why(Entity):
    reason: str = ""
    message: str = ""


class Said(Entity):
    """The vendor's error, in both of its forms: ``errors`` of old, ``status`` and ``details`` of new."""

    code: int = 0
    message: str = ""
    status: str = ""
    errors: tuple[Why, ...] = ()
    details: tuple[Why, ...] = ()

    @property
    def reasons(self) -> frozenset[str]:
        return frozenset(one.reason for one in (*self.errors, *self.details) if one.reason)

    @property
    def words(self) -> str:
        return self.message or ", ".join(sorted(self.reasons)) or f"error {self.code}"


class _Body(Entity):
    error: Said


class OAuthSaid(Entity):
    """How the host for tokens says no."""

    error: str
    error_description: str = ""


class Token(Entity):
    """``refresh_token_expires_in``: for an app that Google knows as one in testing, seven days."""

    access_token: str
    expires_in: int | None = None
    refresh_token: str = ""
    refresh_token_expires_in: int | None = None
    scope: str = ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was granted, as far as Google tells, without the address before it."""
        return tuple(one.removeprefix(SCOPE) for one in self.scope.split())

    def signed_in(self) -> SignedIn:
        """A refresh token comes with the first consent only; later answers leave the old one as it is."""
        kept = {"refresh_token": self.refresh_token} if self.refresh_token else {}
        return SignedIn(
            credentials={"access_token": self.access_token, **kept},
            expires_at=_after(self.expires_in),
            reconnect_by=_after(self.refresh_token_expires_in),
            scopes=self.scopes,
        )


def error_in(answer: Answer) -> Said | None:
    try:
        return _Body.model_validate_json(answer.body).error
    except ValidationError:
        return None


def not_before(answer: Answer) -> datetime:
    return answer.retry_at or answer.now + SOON


class Answers(Reader):
    """What the answers of one of Google's APIs mean. An API says what only it means in ``special``."""

    def special(self, answer: Answer, said: Said) -> None:
        """Raises what this API alone means by an answer that says no."""

    def words(self, answer: Answer, said: Said) -> str:
        """Why Google refused, in its own words."""
        return said.words

    def must_be_fine(
        self, answer: Answer, *, addressed: bool = False, vital: bool = False, renewable: bool = False
    ) -> None:
        """Raise what an answer means.

        addressed: the request names one object, so "not there" is that object's
        vital:     without the permission for this, the account is of no use: connect it again
        renewable: there is a refresh token, so a token that is not taken is traded first
        """
        if 200 <= answer.status < 300:
            return
        said = error_in(answer)
        if said is None:
            if 300 <= answer.status < 400 or answer.body.lstrip()[:1] == b"<":
                raise self.not_its_api(answer)
            said = Said(code=answer.status)
        facts: dict[str, Any] = {"network": self.network, "answer": answer}
        self.special(answer, said)
        self._must_be_allowed(answer, said, vital=vital, renewable=renewable)
        if answer.status == 404 and addressed:
            raise Gone("{network} no longer has it.", **facts)
        if answer.status >= 500 or said.status in ("ABORTED", "UNAVAILABLE"):
            raise TryLater("{network} has trouble at the moment.", **facts)
        raise Refused("{network} said: {reason}", reason=self.words(answer, said), **facts)

    def _must_be_allowed(self, answer: Answer, said: Said, *, vital: bool, renewable: bool) -> None:
        """Tokens, permissions, the pace."""
        reasons = said.reasons
        facts: dict[str, Any] = {"network": self.network, "answer": answer}
        if answer.status == 401 and renewable and (not reasons or reasons & RAN_OUT):
            raise TokenExpired("The access to {network} ran out.", **facts)
        if answer.status == 401:
            raise SignInAgain("{network} asks you to connect this account again.", **facts)
        if answer.status == 429 or reasons & SLOW_DOWN:
            raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
        if reasons & NOT_SWITCHED_ON:
            raise Refused(
                "An API of {network} is not switched on in your app at Google: {reason}", reason=said.words, **facts
            )
        if reasons & NO_PERMISSION:
            kind: type[NetworkError] = SignInAgain if vital else Refused
            raise kind("{network} says that a permission is missing: {reason}", reason=said.words, **facts)


class Line:
    """One account's line to one of Google's APIs. ``answers``: what its answers mean."""

    answers: ClassVar[Answers]

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.server = login.server.rstrip("/")
        self.now = datetime.now(UTC)  # by Google's clock, since its last answer
        self._renewable = bool(login.credentials.get("refresh_token"))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.login.credentials.get('access_token', '')}"}

    def fine(self, answer: Answer, *, addressed: bool = False, vital: bool = False) -> Answer:
        self.now = answer.now
        self.answers.must_be_fine(answer, addressed=addressed, vital=vital, renewable=self._renewable)
        return answer


def challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def no_app(network: str) -> Refused:
    return Refused(
        "{network} needs an app of your own at Google first: see Networks, then enter its keys.", network=network
    )


def _after(seconds: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None


def _oauth_error(answer: Answer) -> OAuthSaid | None:
    if answer.status < 400:
        return None
    try:
        return OAuthSaid.model_validate_json(answer.body)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Gate:
    """Google's page for signing in and its host for tokens. ``network``: whose name the sentences say."""

    network: str
    page: str
    token: str

    def start(self, *, app: AppKeys, scopes: Sequence[str], redirect_uri: str, hint: str = "") -> SigningIn:
        """``access_type`` and ``prompt``: without both, Google gives a refresh token only at the very first consent."""
        state, verifier = dice.token_urlsafe(24), dice.token_urlsafe(64)
        query = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(scopes),
            "access_type": "offline",
            "prompt": "select_account consent",
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **({"login_hint": hint} if "@" in hint else {}),
        }
        url = f"{self.page}/o/oauth2/v2/auth?{urlencode(query)}"
        return SigningIn(url=url, state=state, secrets={"verifier": verifier})

    async def finish(
        self,
        http: aiohttp.ClientSession,
        *,
        app: AppKeys,
        redirect_uri: str,
        query: Mapping[str, str],
        secrets: Mapping[str, str],
    ) -> Token:
        """The tokens for the code that Google's page sent back, a lasting one among them."""
        if query.get("error") == "access_denied":
            raise Refused("You did not allow the connection on the {network} page.", network=self.network)
        if not query.get("code"):
            raise Refused(
                "{network} said: {reason}", network=self.network, reason=query.get("error") or "no code came back"
            )
        fields = {
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": redirect_uri,
            "code_verifier": secrets.get("verifier", ""),
        }
        answer = await self._ask(http, app, fields)
        if (said := _oauth_error(answer)) is not None and said.error == "invalid_grant":
            raise Refused(
                "The sign-in ran out or was used already ({reason}); start again.",
                reason=said.error_description or said.error,
                answer=answer,
            )
        self._must_be_traded(answer)
        token = Reader(self.network).parsed(answer, Token)
        if not token.refresh_token:
            raise Refused("{network} gave no lasting access. Start again, and allow everything.", network=self.network)
        return token

    async def refresh(self, http: aiohttp.ClientSession, login: Login) -> SignedIn:
        """A fresh access token; the refresh token stays. Only Google's "invalid_grant" asks for a person."""
        if login.app is None:
            raise no_app(self.network)
        fields = {"grant_type": "refresh_token", "refresh_token": login.credentials.get("refresh_token", "")}
        answer = await self._ask(http, login.app, fields)
        if (said := _oauth_error(answer)) is not None and said.error == "invalid_grant":
            raise SignInAgain("{network} asks you to connect this account again.", network=self.network, answer=answer)
        self._must_be_traded(answer)
        return Reader(self.network).parsed(answer, Token).signed_in()

    async def revoke(self, http: aiohttp.ClientSession, login: Login) -> None:
        """Takes the whole consent back. One that Google no longer knows is what we want."""
        token = login.credentials.get("refresh_token") or login.credentials.get("access_token", "")
        answer = await read(http, "POST", f"{self.token}/revoke", network=self.network, data={"token": token})
        if (said := _oauth_error(answer)) is None or said.error != "invalid_token":
            self._must_be_traded(answer)

    async def _ask(self, http: aiohttp.ClientSession, app: AppKeys, fields: Mapping[str, str]) -> Answer:
        keys = {"client_id": app.client_id, "client_secret": app.client_secret}
        return await read(http, "POST", f"{self.token}/token", network=self.network, data={**fields, **keys})

    def _must_be_traded(self, answer: Answer) -> None:
        if answer.status == 200:
            return
        if answer.status == 429:
            raise TryLater(
                "{network} asked us to slow down.",
                network=self.network,
                not_before=not_before(answer),
                answer=answer,
            )
        said = _oauth_error(answer)
        if said is None:
            raise Reader(self.network).not_its_api(answer)
        if said.error in ("invalid_client", "unauthorized_client", "deleted_client"):
            raise Refused(
                "Google does not know your app by these keys ({reason}): see Networks.",
                reason=said.error,
                answer=answer,
            )
        raise Refused(
            "{network} said: {reason}",
            network=self.network,
            reason=said.error_description or said.error,
            answer=answer,
        )
