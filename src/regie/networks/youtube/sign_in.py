"""Signing in at Google (OAuth 2.0 with PKCE), and the channel behind a token. Sources: NOTES.md."""

from __future__ import annotations

import base64
import hashlib
import secrets as dice
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.line import Answer, read
from regie.networks.youtube.entities import Channel
from regie.networks.youtube.wire import (
    NETWORK,
    Entity,
    OAuthSaid,
    Wire,
    host_beside,
    listed,
    not_before,
    not_the_api,
    parsed,
)

SCOPE = "https://www.googleapis.com/auth/"
SCOPES = ("youtube.force-ssl", "youtube.readonly", "yt-analytics.readonly")
ASKED = tuple(f"{SCOPE}{one}" for one in SCOPES)  # as Google's consent screen wants them
MISSING = {  # a scope that Google's page lets people untick -> what cannot be done without it
    "youtube.force-ssl": "Nothing can be published, and comments can be neither read nor answered: connect again and "
    "leave the management of videos and comments ticked.",
    "yt-analytics.readonly": "There are no watch times and no shares: connect again and leave the reports ticked.",
}
ME = "id,snippet,statistics,status,contentDetails"


class Token(Entity):
    """``refresh_token_expires_in``: for an app that Google knows as one in testing, seven days."""

    access_token: str
    expires_in: int | None = None
    refresh_token: str = ""
    refresh_token_expires_in: int | None = None
    scope: str = ""


def no_app() -> Refused:
    return Refused(
        "{network} needs an app of your own at Google first: see Networks, then enter its keys.", network=NETWORK
    )


def start(server: str, *, app: AppKeys, redirect_uri: str, hint: str) -> SigningIn:
    """``access_type`` and ``prompt``: without both, Google gives a refresh token only at the very first consent."""
    state, verifier = dice.token_urlsafe(24), dice.token_urlsafe(64)
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(ASKED),
        "access_type": "offline",
        "prompt": "select_account consent",
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **({"login_hint": hint} if "@" in hint else {}),
    }
    url = f"{host_beside(server, 'page')}/o/oauth2/v2/auth?{urlencode(query)}"
    return SigningIn(url=url, state=state, secrets={"verifier": verifier})


def challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
) -> SignedIn:
    """The channel that the person chose on Google's page: a token speaks for one only."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if not query.get("code"):
        raise Refused("{network} said: {reason}", network=NETWORK, reason=query.get("error") or "no code came back")
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": secrets.get("verifier", ""),
    }
    answer = await _ask_for_token(http, server, app, fields)
    if (said := _oauth_error(answer)) is not None and said.error == "invalid_grant":
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.",
            reason=said.error_description or said.error,
            answer=answer,
        )
    _must_be_traded(answer)
    token = parsed(answer, Token)
    if not token.refresh_token:
        raise Refused("{network} gave no lasting access. Start again, and allow everything.", network=NETWORK)
    return await _signed_in(http, server, app, token)


async def _signed_in(http: aiohttp.ClientSession, server: str, app: AppKeys, token: Token) -> SignedIn:
    credentials = {"access_token": token.access_token, "refresh_token": token.refresh_token}
    scopes = tuple(one.removeprefix(SCOPE) for one in token.scope.split())
    login = Login(server=server, credentials=credentials, app=app, limits={"missing": missing(scopes)})
    channels = await my_channels(Wire(http, login))
    return SignedIn(
        credentials=credentials,
        profiles=tuple(profile_of(one, login) for one in channels),
        expires_at=_after(token.expires_in),
        reconnect_by=_after(token.refresh_token_expires_in),
        scopes=scopes,
    )


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when Google did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


def _after(seconds: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None


async def _ask_for_token(http: aiohttp.ClientSession, server: str, app: AppKeys, fields: Mapping[str, str]) -> Answer:
    keys = {"client_id": app.client_id, "client_secret": app.client_secret}
    return await read(http, "POST", f"{host_beside(server, 'token')}/token", network=NETWORK, data={**fields, **keys})


def _oauth_error(answer: Answer) -> OAuthSaid | None:
    if answer.status < 400:
        return None
    try:
        return OAuthSaid.model_validate_json(answer.body)
    except ValueError:
        return None


def _must_be_traded(answer: Answer) -> None:
    if answer.status == 200:
        return
    if answer.status == 429:
        raise TryLater(
            "{network} asked us to slow down.", network=NETWORK, not_before=not_before(answer), answer=answer
        )
    said = _oauth_error(answer)
    if said is None:
        raise not_the_api(answer)
    if said.error in ("invalid_client", "unauthorized_client", "deleted_client"):
        raise Refused(
            "Google does not know your app by these keys ({reason}): see Networks.", reason=said.error, answer=answer
        )
    raise Refused(
        "{network} said: {reason}", network=NETWORK, reason=said.error_description or said.error, answer=answer
    )


async def refresh(wire: Wire) -> SignedIn:
    """A fresh access token; the refresh token stays. Only Google's "invalid_grant" asks for a person."""
    if wire.login.app is None:
        raise no_app()
    token = wire.login.credentials.get("refresh_token", "")
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await _ask_for_token(wire.http, wire.server, wire.login.app, fields)
    if (said := _oauth_error(answer)) is not None and said.error == "invalid_grant":
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    _must_be_traded(answer)
    fresh = parsed(answer, Token)
    kept = {"refresh_token": fresh.refresh_token} if fresh.refresh_token else {}
    return SignedIn(
        credentials={"access_token": fresh.access_token, **kept},
        expires_at=_after(fresh.expires_in),
        reconnect_by=_after(fresh.refresh_token_expires_in),
    )


async def revoke(wire: Wire) -> None:
    """Takes the whole consent back. One that Google no longer knows is what we want."""
    token = wire.login.credentials.get("refresh_token") or wire.login.credentials.get("access_token", "")
    answer = await read(wire.http, "POST", f"{wire.host('token')}/revoke", network=NETWORK, data={"token": token})
    if (said := _oauth_error(answer)) is None or said.error != "invalid_token":
        _must_be_traded(answer)


# Who it is


async def my_channels(wire: Wire) -> list[Channel]:
    """Raises Refused when the Google account has none."""
    found, _ = listed(await wire.get("channels", {"part": ME, "mine": "true"}, vital=True), Channel)
    if not found:
        raise Refused("This Google account has no channel on {network}. Make one there first.", network=NETWORK)
    return found


async def me(wire: Wire) -> Channel:
    """The account's own channel. Another one means that its owner chose differently on Google's page."""
    found = await my_channels(wire)
    return next((one for one in found if one.id == wire.channel), found[0])


async def whoami(wire: Wire) -> Profile:
    return profile_of(await me(wire), wire.login)


def profile_of(channel: Channel, login: Login) -> Profile:
    """``limits``: missing, uploads (the playlist of all its videos), long_uploads, region."""
    snippet = channel.snippet
    limits: dict[str, Any] = {
        "uploads": channel.content.related.uploads,
        "long_uploads": channel.status.long_uploads not in ("disallowed", "eligible"),
        "region": snippet.country,
    }
    if "missing" in login.limits:
        limits["missing"] = login.limits["missing"]
    pictures = [one.url for one in snippet.thumbnails.values()]
    return Profile(
        remote_id=channel.id,
        name=snippet.title or channel.id,
        handle=snippet.custom_url or snippet.title or channel.id,
        server=login.server,
        url=f"{host_beside(login.server, 'watch')}/channel/{channel.id}",
        avatar_url=pictures[0] if pictures else "",
        kind="channel",
        limits=limits,
    )
