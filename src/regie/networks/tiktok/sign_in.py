"""Login Kit: the page, the tokens, what the account's owner allows. Sources: Login Kit for Web, OAuth, Creator Info.

A token is good for a day and is traded for a fresh pair; the refresh token ends after a year, and then a person has to
sign in again. Web apps use no PKCE there.
"""

from __future__ import annotations

import secrets as dice
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import ValidationError

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, read
from regie.networks.tiktok.entities import Creator, Token, User, UserData
from regie.networks.tiktok.wire import NETWORK, Wire, not_the_api, page_beside, parsed, said_in

BASIC, PROFILE, STATS = "user.info.basic", "user.info.profile", "user.info.stats"
SCOPES = (BASIC, PROFILE, STATS, "video.list", "video.publish")
FIELDS = {  # permission -> what may be asked with it
    BASIC: "open_id,display_name,avatar_url",
    PROFILE: "username",
    STATS: "follower_count,following_count,likes_count,video_count",
}
MISSING = {
    "video.publish": "Nothing can be published: connect again and leave publishing ticked.",
    "video.list": "Posts cannot be found again and have no numbers: connect again and leave your videos ticked.",
    STATS: "There are no numbers of the account: connect again and leave statistics ticked.",
}
TRADED_LATER = frozenset(("server_error", "temporarily_unavailable"))


def no_app() -> Refused:
    return Refused(
        "{network} needs an app of your own at developers.tiktok.com first: see Networks, then enter its keys.",
        network=NETWORK,
    )


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    state = dice.token_urlsafe(24)
    query = {
        "client_key": app.client_id,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "redirect_uri": redirect_uri,
        "state": state,
        "disable_auto_auth": "1",  # whoever manages several accounts sees which one it is
    }
    return SigningIn(url=f"{page_beside(server)}/v2/auth/authorize/?{urlencode(query)}", state=state, secrets={})


def code_in(query: Mapping[str, str]) -> str:
    """What came back. Raises Refused when the person said no."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if not query.get("code"):
        reason = query.get("error_description") or query.get("error") or "no code came back"
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    return query["code"]


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    fields = {"grant_type": "authorization_code", "code": code_in(query), "redirect_uri": redirect_uri}
    answer = await _trade(http, server, app, fields)
    said = said_in(answer)
    if said is not None and said.code in TRADED_LATER:
        raise TryLater("{network} has trouble at the moment.", network=NETWORK, answer=answer)
    if said is not None and said.code == "invalid_grant":
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=said.words, answer=answer
        )
    token = _token(answer)
    credentials = {"access_token": token.access_token, "refresh_token": token.refresh_token}
    login = Login(
        server=server.rstrip("/"),
        remote_id=token.open_id,
        credentials=credentials,
        app=app,
        limits={"scopes": list(token.scopes)},
    )
    profile = await whoami(Wire(http, login))
    return _signed_in(token, profiles=(profile,))


async def _trade(
    http: aiohttp.ClientSession, server: str, app: AppKeys, fields: Mapping[str, str], *, path: str = "token"
) -> Answer:
    """The sign-in's three calls. The secret travels in the body, as TikTok wants it."""
    keys = {"client_key": app.client_id, "client_secret": app.client_secret}
    return await read(http, "POST", f"{server.rstrip('/')}/v2/oauth/{path}/", network=NETWORK, data={**keys, **fields})


def _token(answer: Answer) -> Token:
    try:
        return Token.model_validate_json(answer.body)
    except ValidationError:
        said = said_in(answer)
        if said is None:
            raise not_the_api(answer) from None
        if said.code == "rate_limit_exceeded":
            raise TryLater("{network} asked us to slow down.", network=NETWORK, answer=answer) from None
        raise Refused("{network} said: {reason}", network=NETWORK, reason=said.words, answer=answer) from None


def _signed_in(token: Token, *, profiles: tuple[Profile, ...] = ()) -> SignedIn:
    now = datetime.now(UTC)
    return SignedIn(
        credentials={"access_token": token.access_token, "refresh_token": token.refresh_token},
        profiles=profiles,
        expires_at=now + timedelta(seconds=token.expires_in),
        reconnect_by=now + timedelta(seconds=token.refresh_expires_in) if token.refresh_expires_in else None,
        scopes=token.scopes,
    )


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when TikTok did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


async def refresh(wire: Wire) -> SignedIn:
    """A fresh pair; the old refresh token may be dead from then on."""
    app, held = wire.login.app, wire.login.credentials.get("refresh_token", "")
    if app is None or not held:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    answer = await _trade(wire.http, wire.server, app, {"grant_type": "refresh_token", "refresh_token": held})
    said = said_in(answer)
    if said is not None and said.code in ("invalid_grant", "access_denied"):
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    try:
        return _signed_in(_token(answer))
    except Refused as exc:  # our keys, a maintenance page: nothing that signing in again would cure
        raise TryLater("{network} did not trade the token: {reason}", network=NETWORK, reason=exc.said) from exc


async def revoke(wire: Wire) -> None:
    """Done already counts as done."""
    app = wire.login.app
    if app is None:
        return
    fields = {"token": wire.login.credentials.get("access_token", "")}
    await _trade(wire.http, wire.server, app, fields, path="revoke")


# Who we are


async def me(wire: Wire) -> User:
    """With what the permissions allow to ask: one that is missing makes TikTok refuse the whole question."""
    fields = ",".join(names for scope, names in FIELDS.items() if wire.may(scope))
    return parsed(await wire.get("/v2/user/info/", {"fields": fields}), UserData).user


async def creator(wire: Wire) -> Creator:
    """What the account's owner allows now. Raises TryLater when it cannot publish more today."""
    return parsed(await wire.ask("/v2/post/publish/creator_info/query/", vital=True), Creator)


async def whoami(wire: Wire) -> Profile:
    found = await me(wire)
    scopes = [str(one) for one in wire.login.limits.get("scopes", ())]
    limits: dict[str, Any] = {"scopes": scopes, "missing": missing(scopes), "username": found.username}
    if wire.may("video.publish"):
        limits |= await _allowed(wire)
    username = str(limits["username"])
    return Profile(
        remote_id=found.open_id,
        name=found.display_name or username or found.open_id,
        handle=f"@{username}" if username else found.display_name or found.open_id,
        server=wire.server,
        url=f"https://www.tiktok.com/@{username}" if username else "",
        avatar_url=found.avatar_url,
        limits=limits,
    )


async def _allowed(wire: Wire) -> dict[str, Any]:
    """What the export screen needs; as last told when TikTok does not say it today."""
    names = ("username", "privacy", "switched_off", "longest_video")
    known = {name: wire.login.limits[name] for name in names if wire.login.limits.get(name)}
    try:
        told = await creator(wire)
    except (SignInAgain, TokenExpired):
        raise
    except NetworkError:
        return known
    off = ("comment_disabled", "duet_disabled", "stitch_disabled")
    return {
        **({"username": told.creator_username} if told.creator_username else {}),
        "privacy": list(told.privacy_level_options),
        "switched_off": [name for name in off if getattr(told, name)],
        "longest_video": told.max_video_post_duration_sec,
    }
