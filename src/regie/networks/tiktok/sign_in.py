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

from regie.networks.data import AppKeys, Login, Poster, Profile, SignedIn, SigningIn
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, read
from regie.networks.tiktok import business
from regie.networks.tiktok.entities import Account, Creator, Settings, Token, User, UserData
from regie.networks.tiktok.wire import CANNOT_POST, NETWORK, Wire, not_the_api, page_beside, parsed, said_in, way_of

BASIC, PROFILE, STATS = "user.info.basic", "user.info.profile", "user.info.stats"
INSIGHTS = "user.insights"
SCOPES = (BASIC, PROFILE, STATS, "video.list", "video.publish")
BY_BUSINESS = (
    BASIC,
    "user.info.username",
    STATS,
    INSIGHTS,
    "video.list",
    "video.insights",
    "video.publish",
    "comment.list",
    "comment.list.manage",
)
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
MISSING_BUSINESS = {
    **MISSING,
    INSIGHTS: "There are no daily numbers of the account: connect again and leave insights ticked.",
    "comment.list": "Comments cannot be read: connect again and leave comments ticked.",
    "comment.list.manage": "Comments cannot be answered: connect again and leave managing comments ticked.",
}
DEAD = frozenset(("invalid_grant", "access_denied"))
LOOKED_AT = 5  # posts, for a comment of our own
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
        "scope": ",".join(BY_BUSINESS if way_of(server) == "business" else SCOPES),
        "redirect_uri": redirect_uri,
        "state": state,
        "disable_auto_auth": "1",  # whoever manages several accounts sees which one it is
    }
    return SigningIn(url=f"{page_beside(server)}/v2/auth/authorize/?{urlencode(query)}", state=state, secrets={})


def code_in(query: Mapping[str, str]) -> str:
    """What came back, by the name that either login gives it. Raises Refused when the person said no."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    code = query.get("code") or query.get("auth_code")
    if not code:
        reason = query.get("error_description") or query.get("error") or "no code came back"
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    return code


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    code, of_business = code_in(query), way_of(server) == "business"
    fields = {"grant_type": "authorization_code", "redirect_uri": redirect_uri}
    answer = await _trade(http, server, app, {**fields, "auth_code" if of_business else "code": code})
    token = _business_token(answer) if of_business else _token(answer)
    login = Login(
        server=server.rstrip("/"),
        remote_id=token.open_id,
        credentials={"access_token": token.access_token, "refresh_token": token.refresh_token},
        app=app,
        limits={"scopes": list(token.scopes)},
    )
    profile = await whoami(Wire(http, login))
    return _signed_in(token, profiles=(profile,))


async def _trade(
    http: aiohttp.ClientSession, server: str, app: AppKeys, fields: Mapping[str, str], *, path: str = "token"
) -> Answer:
    """The sign-in's three calls. The secret travels in the body, as TikTok wants it."""
    if way_of(server) == "business":
        return await business.trade(http, server, app, path, fields)
    keys = {"client_key": app.client_id, "client_secret": app.client_secret}
    return await read(http, "POST", f"{server.rstrip('/')}/v2/oauth/{path}/", network=NETWORK, data={**keys, **fields})


class RanOut(Refused):
    """A code, or a refresh token, that is no good any more."""

    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(
            "The sign-in ran out or was used already ({reason}); start again.", reason=reason, answer=answer
        )


def _token(answer: Answer) -> Token:
    try:
        return Token.model_validate_json(answer.body)
    except ValidationError:
        said = said_in(answer)
    if said is None:
        raise not_the_api(answer)
    if said.code in TRADED_LATER:
        raise TryLater("{network} has trouble at the moment.", network=NETWORK, answer=answer)
    if said.code == "rate_limit_exceeded":
        raise TryLater("{network} asked us to slow down.", network=NETWORK, answer=answer)
    if said.code in DEAD:
        raise RanOut(said.words, answer)
    raise Refused("{network} said: {reason}", network=NETWORK, reason=said.words, answer=answer)


def _business_token(answer: Answer) -> Token:
    said = business.said_in(answer)
    if said is not None and (said.code == business.CODE_GONE or said.code in business.DEAD_TOKEN):
        raise RanOut(said.message or str(said.code), answer)
    business.must_be_fine(answer)
    return parsed(answer, Token)


def _signed_in(token: Token, *, profiles: tuple[Profile, ...] = ()) -> SignedIn:
    now = datetime.now(UTC)
    return SignedIn(
        credentials={"access_token": token.access_token, "refresh_token": token.refresh_token},
        profiles=profiles,
        expires_at=now + timedelta(seconds=token.expires_in),
        reconnect_by=now + timedelta(seconds=token.refresh_expires_in) if token.refresh_expires_in else None,
        scopes=token.scopes,
    )


def missing(scopes: Sequence[str], *, of_business: bool = False) -> list[str]:
    """What cannot be done, in words. Nothing is said when TikTok did not tell what was granted."""
    wanted = MISSING_BUSINESS if of_business else MISSING
    return [said for scope, said in wanted.items() if scopes and scope not in scopes]


async def refresh(wire: Wire) -> SignedIn:
    """A fresh pair; the old refresh token may be dead from then on."""
    app, held = wire.login.app, wire.login.credentials.get("refresh_token", "")
    if app is None or not held:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    path = "refresh_token" if wire.business else "token"
    fields = {"grant_type": "refresh_token", "refresh_token": held}
    answer = await _trade(wire.http, wire.server, app, fields, path=path)
    try:
        return _signed_in(_business_token(answer) if wire.business else _token(answer))
    except RanOut as exc:
        raise SignInAgain(
            "{network} asks you to connect this account again.", network=NETWORK, answer=exc.answer
        ) from exc
    except Refused as exc:  # our keys, a maintenance page: nothing that signing in again would cure
        raise TryLater("{network} did not trade the token: {reason}", network=NETWORK, reason=exc.said) from exc


async def revoke(wire: Wire) -> None:
    """Done already counts as done."""
    app = wire.login.app
    if app is None:
        return
    token = wire.login.credentials.get("access_token", "")
    fields = {"access_token" if wire.business else "token": token}
    await _trade(wire.http, wire.server, app, fields, path="revoke")


# Who we are


async def me(wire: Wire) -> User | Account:
    """With what the permissions allow to ask: one that is missing makes TikTok refuse the whole question."""
    if wire.business:
        return await business.account(wire)
    return await _user(wire)


async def _user(wire: Wire) -> User:
    fields = ",".join(names for scope, names in FIELDS.items() if wire.may(scope))
    return parsed(await wire.get("/v2/user/info/", {"fields": fields}), UserData).user


async def creator(wire: Wire) -> Creator:
    """What the account's owner allows now. Raises TryLater when it cannot publish more today."""
    return parsed(await wire.ask("/v2/post/publish/creator_info/query/", vital=True), Creator)


async def whoami(wire: Wire) -> Profile:
    if wire.business:
        return await _business_profile(wire)
    found = await _user(wire)
    scopes = [str(one) for one in wire.login.limits.get("scopes", ())]
    limits: dict[str, Any] = {
        "login": "tiktok",
        "scopes": scopes,
        "missing": missing(scopes),
        "username": found.username,
    }
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


async def _business_profile(wire: Wire) -> Profile:
    found = await business.account(wire)
    if not found.username and not found.display_name:
        raise Refused("{network} answered something that is not its API ({status}).", network=NETWORK, status=200)
    scopes = [str(one) for one in wire.login.limits.get("scopes", ())]
    limits: dict[str, Any] = {
        "login": "business",
        "scopes": scopes,
        "missing": missing(scopes, of_business=True),
        "username": found.username,
        "unique_identifier": wire.login.limits.get("unique_identifier") or await _our_word(wire),
    }
    if wire.may("video.publish"):
        limits |= await _allowed(wire)
    return Profile(
        remote_id=wire.user,
        name=found.display_name or found.username,
        handle=f"@{found.username}" if found.username else found.display_name,
        server=wire.server,
        url=f"https://www.tiktok.com/@{found.username}" if found.username else "",
        avatar_url=found.profile_image,
        limits=limits,
    )


async def _our_word(wire: Wire) -> str:
    """By which word TikTok calls us beneath comments: only one of our own tells it. Without it webhooks cannot be told
    from what we said ourselves."""
    if not wire.may("comment.list"):
        return ""
    try:
        for item in (await business.items(wire))[0].videos[:LOOKED_AT]:
            for top in (await business.comments(wire, item.item_id))[0].comments:
                for one in (top, *top.reply_list):
                    if one.owner and one.unique_identifier:
                        return one.unique_identifier
    except (SignInAgain, TokenExpired):
        raise
    except NetworkError:
        return ""
    return ""


async def _allowed(wire: Wire) -> dict[str, Any]:
    """What the export screen needs; as last told when TikTok does not say it today."""
    names = ("username", "privacy", "switched_off", "longest_video")
    known = {name: wire.login.limits[name] for name in names if wire.login.limits.get(name)}
    try:
        told = await (business.settings(wire) if wire.business else creator(wire))
    except (SignInAgain, TokenExpired):
        raise
    except NetworkError:
        return known
    return _said_of(told)


def _said_of(told: Creator | Settings) -> dict[str, Any]:
    """What the export screen needs, as it is kept with the account."""
    off = ("comment_disabled", "duet_disabled", "stitch_disabled")
    who: dict[str, Any] = {}
    if isinstance(told, Creator):
        who["privacy"] = list(told.privacy_level_options)
        if told.creator_username:
            who["username"] = told.creator_username
    return {
        **who,
        "switched_off": [name for name in off if getattr(told, name)],
        "longest_video": told.max_video_post_duration_sec,
    }


async def poster(wire: Wire) -> Poster:
    """The head of the export screen. That nothing can be posted now TikTok says instead of who it is."""
    try:
        told = await (business.settings(wire) if wire.business else creator(wire))
    except NetworkError as exc:
        said = said_in(exc.answer) if exc.answer is not None else None
        if said is None or said.code not in CANNOT_POST:
            raise
        return Poster(problem=exc.sentence, facts=exc.facts)
    if not isinstance(told, Creator):
        return Poster(limits=_said_of(told))
    handle = f"@{told.creator_username}" if told.creator_username else ""
    return Poster(name=told.creator_nickname, handle=handle, limits=_said_of(told))
