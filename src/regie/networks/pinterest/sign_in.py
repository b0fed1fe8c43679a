"""Signing in, and the account behind a token. Source: the vendor's page on authentication, and the description.

There is no PKCE. The token is made at the host that it is for: one of the Sandbox is good there alone.
"""

from __future__ import annotations

import base64
import secrets as dice
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain
from regie.networks.line import Answer, read
from regie.networks.pinterest.entities import Me, Token
from regie.networks.pinterest.wire import NETWORK, Wire, error_in, must_be_fine, on_trial, page_beside, parsed

MISSING = {  # a permission -> what cannot be done without it
    "boards:read": "No board can be chosen: connect again and leave boards ticked.",
    "boards:write": "Nothing can be published: connect again and leave boards ticked.",
    "pins:read": "Published Pins cannot be found again: connect again and leave Pins ticked.",
    "pins:write": "Nothing can be published: connect again and leave Pins ticked.",
    "user_accounts:read": "There are no numbers of the account: connect again and leave the account ticked.",
}
SCOPES = tuple(MISSING)


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    state = dice.token_urlsafe(24)
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": state,
    }
    return SigningIn(url=f"{page_beside(server)}/oauth/?{urlencode(query)}", state=state, secrets={})


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    """Trades the code. Raises Refused when the person said no, or when the code has run out."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if not query.get("code"):
        reason = query.get("error_description") or query.get("error") or "no code came back"
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": redirect_uri,
        "continuous_refresh": "true",  # of apps made before 2025-09-25; the others have nothing else
    }
    answer = await _ask(http, server, app, fields)
    if answer.status in (400, 401) and (said := error_in(answer)) is not None:
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=said.message, answer=answer
        )
    must_be_fine(answer)
    signed_in = _signed_in(parsed(answer, Token), answer)
    limits = {"missing": missing(signed_in.scopes)}
    login = Login(server=server, credentials=signed_in.credentials, app=app, limits=limits)
    return SignedIn(
        credentials=signed_in.credentials,
        profiles=(await whoami(Wire(http, login)),),
        expires_at=signed_in.expires_at,
        reconnect_by=signed_in.reconnect_by,
        scopes=signed_in.scopes,
    )


async def _ask(http: aiohttp.ClientSession, server: str, app: AppKeys, fields: Mapping[str, str]) -> Answer:
    """Asking again harms nobody: a code is good once, and until a fresh pair is used the old one stays good."""
    keys = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    return await read(
        http,
        "POST",
        f"{server.rstrip('/')}/v5/oauth/token",
        network=NETWORK,
        data=dict(fields),
        headers={"Authorization": f"Basic {keys}"},
    )


def _signed_in(token: Token, answer: Answer) -> SignedIn:
    now = answer.now
    expires_at = now + timedelta(seconds=token.expires_in) if token.expires_in else None
    ends = token.refresh_token_expires_in
    credentials = {"access_token": token.access_token}
    if token.refresh_token:
        credentials["refresh_token"] = token.refresh_token
    if expires_at is not None:
        credentials["expires_at"] = str(int(expires_at.timestamp()))
    return SignedIn(
        credentials=credentials,
        expires_at=expires_at,
        reconnect_by=now + timedelta(seconds=ends) if ends else None,
        scopes=tuple(token.scope.replace(",", " ").split()),
    )


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when Pinterest did not tell what was granted."""
    if not scopes:
        return []
    return list(dict.fromkeys(said for scope, said in MISSING.items() if scope not in scopes))


async def refresh(wire: Wire) -> SignedIn:
    """Trades the refresh token for a fresh pair."""
    app, token = wire.login.app, wire.login.credentials.get("refresh_token", "")
    if app is None or not token:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await _ask(wire.http, wire.login.server, app, fields)
    if answer.status in (400, 401) and error_in(answer) is not None:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    must_be_fine(answer)
    return _signed_in(parsed(answer, Token), answer)


async def whoami(wire: Wire) -> Profile:
    login, found = wire.login, parsed(await wire.get("/user_account", vital=True), Me)
    if not found.username:
        raise Refused("{network} answered something that is not its API ({status}).", network=NETWORK, status=200)
    limits: dict[str, Any] = {"trial": on_trial(login.server), "username": found.username}
    if "missing" in login.limits:
        limits["missing"] = login.limits["missing"]
    return Profile(
        remote_id=found.id or found.username,
        name=found.business_name or found.username,
        handle=f"@{found.username}",
        server=login.server,
        url=f"https://www.pinterest.com/{found.username}/",
        avatar_url=found.profile_image or "",
        limits=limits,
    )
