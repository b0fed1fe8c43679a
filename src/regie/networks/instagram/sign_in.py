"""Instagram's own login and Facebook's. Source: business-login guide, and Facebook Login for Business.

With Instagram's own login an account has a token of sixty days that is traded for a fresh one; with Facebook's, the
Page that the account is linked to has one that does not run out.
"""

from __future__ import annotations

import secrets as dice
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import NetworkError, Refused, SignInAgain
from regie.networks.instagram import shop
from regie.networks.instagram.entities import Me, Quota
from regie.networks.instagram.limits import AGAIN, NO_DELETING, WHY_NOT
from regie.networks.instagram.wire import NETWORK, Wire, login_of
from regie.networks.line import read
from regie.networks.meta import sign_in as meta
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import Entity, Graph, host_beside, must_be_fine, parsed

BY_INSTAGRAM = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_messages",
    "instagram_business_manage_insights",
)
BY_FACEBOOK = (
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_messages",
    "instagram_manage_insights",
    "instagram_manage_contents",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "business_management",
)
MISSING = {  # the end of a permission's name -> what cannot be done without it
    "content_publish": "Nothing can be published: connect again and leave publishing ticked.",
    "manage_comments": "Comments can be neither read nor answered: connect again and leave comments ticked.",
    "manage_messages": "Direct messages can be neither read nor answered: connect again and leave messages ticked.",
    "manage_insights": "There are no numbers but likes and comments: connect again and leave insights ticked.",
    "manage_contents": NO_DELETING,  # of Facebook's login only
}
ME = "username,name,profile_picture_url,followers_count,follows_count,media_count"
LINKED = f"id,name,access_token,instagram_business_account{{id,{ME}}}"


class Short(Entity):
    """The first token, flat or in a list, as the vendor's page shows it both ways."""

    access_token: str
    permissions: str | tuple[str, ...] = ""


class Shorts(Entity):
    data: tuple[Short, ...]


class LinkedPage(Entity):
    id: str
    name: str = ""
    access_token: str = ""
    instagram_business_account: Me | None = None


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    if login_of(server) == "facebook":
        return meta.start(
            server, app=app, redirect_uri=redirect_uri, scopes=(*BY_FACEBOOK, *app.more_scopes((shop.PERMIT,)))
        )
    state = dice.token_urlsafe(24)
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(BY_INSTAGRAM),
        "state": state,
        "force_reauth": "true",
    }
    return SigningIn(url=f"{host_beside(server, 'page')}/oauth/authorize?{urlencode(query)}", state=state, secrets={})


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    """One account with Instagram's own login; every linked one that the person ticked with Facebook's."""
    code = meta.code_in(query, network=NETWORK)
    if login_of(server) == "facebook":
        return await _through_facebook(http, server, app=app, redirect_uri=redirect_uri, code=code)
    short = await _short_token(http, server, app=app, redirect_uri=redirect_uri, code=code)
    permissions = short.permissions.split(",") if isinstance(short.permissions, str) else short.permissions
    long = await read(
        http,
        "GET",
        f"{server}/access_token",
        network=NETWORK,
        params={
            "grant_type": "ig_exchange_token",
            "client_secret": app.client_secret,
            "access_token": short.access_token,
        },
    )
    meta.must_be_traded(long, NETWORK)
    token = parsed(long, meta.Token, network=NETWORK)
    credentials = {"access_token": token.access_token}
    scopes = tuple(one.strip() for one in permissions if one.strip())
    login = Login(server=server, credentials=credentials, app=app, limits={"missing": missing(scopes, BY_INSTAGRAM)})
    profile = await whoami(Wire(http, login))
    return SignedIn(credentials=credentials, profiles=(profile,), expires_at=meta.ends_at(token), scopes=scopes)


async def _short_token(
    http: aiohttp.ClientSession, server: str, *, app: AppKeys, redirect_uri: str, code: str
) -> Short:
    fields = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": code,
    }
    answer = await read(
        http, "POST", f"{host_beside(server, 'token')}/oauth/access_token", network=NETWORK, data=fields
    )
    meta.must_be_traded(answer, NETWORK)
    try:
        listed = parsed(answer, Shorts, network=NETWORK).data
    except Refused:
        return parsed(answer, Short, network=NETWORK)
    if not listed:
        raise Refused("{network} said: {reason}", network=NETWORK, reason="no token came back", answer=answer)
    return listed[0]


def missing(scopes: Sequence[str], asked: Sequence[str]) -> list[str]:
    """What cannot be done of what was asked for, in words. Nothing is said when Meta did not tell what was granted."""
    wanted = [end for end in MISSING if scopes and any(one.endswith(end) for one in asked)]
    return [MISSING[end] for end in wanted if not any(one.endswith(end) for one in scopes)]


async def _through_facebook(
    http: aiohttp.ClientSession, server: str, *, app: AppKeys, redirect_uri: str, code: str
) -> SignedIn:
    token = await meta.user_token(http, server, app=app, redirect_uri=redirect_uri, code=code, network=NETWORK)
    graph = Graph(http, server=server, token=token.access_token, network=NETWORK, secret=app.client_secret)
    scopes = await meta.granted(graph)
    theirs = {"user_token": token.access_token} if shop.allowed(scopes) else {}
    profiles = [
        await _of_page(http, page, server=server, app=app, scopes=scopes, theirs=theirs)
        for page in await _linked(graph)
        if page.instagram_business_account is not None and page.access_token
    ]
    if not profiles:
        raise Refused("No professional account of {network} is linked to a Page that you manage.", network=NETWORK)
    return SignedIn(credentials={}, profiles=tuple(profiles), scopes=scopes)


async def _of_page(
    http: aiohttp.ClientSession,
    page: LinkedPage,
    *,
    server: str,
    app: AppKeys,
    scopes: Sequence[str],
    theirs: Mapping[str, str],
) -> Profile:
    """The account linked to a Page. ``theirs``: the person's own token, where they may speak of its shop."""
    assert page.instagram_business_account is not None
    credentials = {"access_token": page.access_token, **theirs}
    limits: dict[str, Any] = {"page_id": page.id, "missing": missing(scopes, BY_FACEBOOK)}
    if theirs:
        user = page.instagram_business_account.id
        login = Login(server=server, remote_id=user, credentials=credentials, app=app)
        limits["products"] = await shop.standing(Wire(http, login))
    return profile_of(page.instagram_business_account, server=server, limits=limits, credentials=credentials)


async def _linked(graph: Graph) -> list[LinkedPage]:
    found: list[LinkedPage] = []
    after = ""
    for _ in range(meta.MOST_PAGES):
        params = {"fields": LINKED, "limit": "100", **({"after": after} if after else {})}
        page = parsed(await graph.get("/me/accounts", params), Edge[LinkedPage], network=NETWORK)
        found += page.data
        after = page.after
        if not after:
            break
    return found


async def me(wire: Wire) -> Me:
    """The account behind the token. With Instagram's own login its id is in ``user_id``."""
    if wire.way == "facebook":
        answer = await wire.graph.get(f"/{wire.user}", {"fields": f"id,{ME}"}, vital=True)
    else:
        answer = await wire.graph.get("/me", {"fields": f"id,user_id,account_type,{ME}"}, vital=True)
    return parsed(answer, Me, network=NETWORK)


async def whoami(wire: Wire) -> Profile:
    found = await me(wire)
    if not (found.user_id or found.id) or not found.username:
        raise Refused("{network} answered something that is not its API ({status}).", network=NETWORK, status=200)
    limits: dict[str, Any] = {
        name: wire.login.limits[name] for name in ("page_id", "missing") if name in wire.login.limits
    }
    limits |= await _quota(wire, found.user_id or found.id)
    if wire.person:
        limits["products"] = await shop.standing(wire)
        limits["missing"] = _with_shop(limits.get("missing", ()), limits["products"])
    return profile_of(found, server=wire.login.server, limits=limits)


def _with_shop(missing: Sequence[str], products: str) -> list[str]:
    """What cannot be done, with what has to be said of products now."""
    there = [one for one in missing if one != WHY_NOT[AGAIN]]
    return [*there, WHY_NOT[AGAIN]] if products == AGAIN else there


async def _quota(wire: Wire, user: str) -> dict[str, Any]:
    """How many posts a day the account may publish through the API, and how many it has."""
    try:
        answer = await wire.graph.get(f"/{user}/content_publishing_limit", {"fields": "config,quota_usage"})
        quotas = parsed(answer, Edge[Quota], network=NETWORK).data
    except SignInAgain:
        raise
    except NetworkError:
        return {}
    if not quotas or quotas[0].config is None:
        return {}
    return {"posts_a_day": quotas[0].config.quota_total, "posts_today": quotas[0].quota_usage}


def profile_of(
    found: Me, *, server: str, limits: Mapping[str, Any], credentials: Mapping[str, str] | None = None
) -> Profile:
    return Profile(
        remote_id=found.user_id or found.id,
        name=found.name or found.username,
        handle=f"@{found.username}",
        server=server,
        url=f"https://www.instagram.com/{found.username}/",
        avatar_url=found.profile_picture_url or "",
        limits={**limits, "login": login_of(server), "username": found.username},
        credentials=credentials or {},
    )


async def refresh(wire: Wire) -> SignedIn:
    """Trades a token of Instagram's own login for a fresh one; the old one stays good. A Page's does not run out."""
    if wire.way == "facebook":
        return SignedIn(credentials={})
    token = wire.login.credentials.get("access_token", "")
    answer = await read(
        wire.http,
        "GET",
        f"{wire.login.server}/refresh_access_token",
        network=NETWORK,
        params={"grant_type": "ig_refresh_token", "access_token": token},
    )
    must_be_fine(answer, network=NETWORK, vital=True)
    fresh = parsed(answer, meta.Token, network=NETWORK)
    return SignedIn(credentials={"access_token": fresh.access_token}, expires_at=meta.ends_at(fresh))
