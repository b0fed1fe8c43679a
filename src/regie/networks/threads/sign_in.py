"""Threads' own login: a token of an hour, traded for one of sixty days. Source: get-started guides."""

from __future__ import annotations

import secrets as dice
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import NetworkError, Refused, SignInAgain
from regie.networks.line import read
from regie.networks.meta import sign_in as meta
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import host_beside, must_be_fine, parsed
from regie.networks.threads.entities import Debug, Me, Quota, Short
from regie.networks.threads.limits import PERMIT
from regie.networks.threads.wire import NETWORK, Wire

SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_read_replies",
    "threads_manage_replies",
    "threads_manage_mentions",
    "threads_manage_insights",
    "threads_delete",
)
MISSING = {  # a permission -> what cannot be done without it
    "threads_content_publish": "Nothing can be published: connect again and leave publishing ticked.",
    "threads_read_replies": "Replies cannot be read: connect again and leave replies ticked.",
    "threads_manage_replies": "Replies can be neither answered nor hidden: connect again and leave replies ticked.",
    "threads_manage_mentions": "Mentions cannot be read: connect again and leave mentions ticked.",
    "threads_manage_insights": "There are no numbers: connect again and leave insights ticked.",
    "threads_delete": "Posts cannot be deleted: connect again and leave deleting ticked.",
}
ME = "id,username,name,threads_profile_picture_url"


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    state = dice.token_urlsafe(24)
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join((*SCOPES, *app.more_scopes((PERMIT,)))),
        "state": state,
    }
    return SigningIn(url=f"{host_beside(server, 'page')}/oauth/authorize?{urlencode(query)}", state=state, secrets={})


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    fields = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": meta.code_in(query, network=NETWORK),
    }
    answer = await read(http, "POST", f"{server.rstrip('/')}/oauth/access_token", network=NETWORK, data=fields)
    meta.must_be_traded(answer, NETWORK)
    short = parsed(answer, Short, network=NETWORK)
    token = await _traded(
        http,
        f"{server.rstrip('/')}/access_token",
        {
            "grant_type": "th_exchange_token",
            "client_secret": app.client_secret,
            "access_token": short.access_token,
        },
    )
    credentials = {"access_token": token.access_token}
    scopes = await _granted(Wire(http, Login(server=server, credentials=credentials, app=app)))
    limits = {"scopes": list(scopes), "missing": missing(scopes)}
    profile = await whoami(Wire(http, Login(server=server, credentials=credentials, app=app, limits=limits)))
    return SignedIn(credentials=credentials, profiles=(profile,), expires_at=meta.ends_at(token), scopes=scopes)


async def _traded(http: aiohttp.ClientSession, url: str, params: Mapping[str, str]) -> meta.Token:
    answer = await read(http, "GET", url, network=NETWORK, params=params)
    meta.must_be_traded(answer, NETWORK)
    return parsed(answer, meta.Token, network=NETWORK)


async def _granted(wire: Wire) -> tuple[str, ...]:
    """What the person left ticked; nothing when Threads does not tell."""
    token = wire.login.credentials["access_token"]
    try:
        answer = await wire.graph.get("/debug_token", {"input_token": token})
        return tuple(sorted(parsed(answer, Debug, network=NETWORK).data.scopes))
    except SignInAgain:
        raise
    except NetworkError:
        return ()


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when Threads did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


async def refresh(wire: Wire) -> SignedIn:
    """A token of at least a day for one of sixty days."""
    token = wire.login.credentials.get("access_token", "")
    params = {"grant_type": "th_refresh_token", "access_token": token}
    url = f"{wire.login.server.rstrip('/')}/refresh_access_token"
    answer = await read(wire.http, "GET", url, network=NETWORK, params=params)
    must_be_fine(answer, network=NETWORK, vital=True)
    fresh = parsed(answer, meta.Token, network=NETWORK)
    return SignedIn(credentials={"access_token": fresh.access_token}, expires_at=meta.ends_at(fresh))


async def whoami(wire: Wire) -> Profile:
    answer = await wire.graph.get("/me", {"fields": ME}, vital=True)
    me = parsed(answer, Me, network=NETWORK)
    if not me.id or not me.username:
        raise Refused("{network} answered something that is not its API ({status}).", network=NETWORK, status=200)
    limits: dict[str, Any] = {
        name: wire.login.limits[name] for name in ("scopes", "missing") if name in wire.login.limits
    }
    limits |= {"username": me.username, "countries": await _countries(wire), **await _quota(wire)}
    return Profile(
        remote_id=me.id,
        name=me.name or me.username,
        handle=f"@{me.username}",
        server=wire.login.server,
        url=f"https://www.threads.com/@{me.username}",
        avatar_url=me.threads_profile_picture_url or "",
        limits=limits,
    )


async def _countries(wire: Wire) -> bool:
    """Whether the account may say in which countries a post shows: a question of its own, as few may."""
    try:
        answer = await wire.graph.get("/me", {"fields": "id,is_eligible_for_geo_gating"})
        return parsed(answer, Me, network=NETWORK).is_eligible_for_geo_gating
    except SignInAgain:
        raise
    except NetworkError:
        return False


async def _quota(wire: Wire) -> dict[str, Any]:
    """How many posts a day the account may publish through the API, and how many it has."""
    try:
        answer = await wire.graph.get("/me/threads_publishing_limit", {"fields": "quota_usage,config"})
        quotas = parsed(answer, Edge[Quota], network=NETWORK).data
    except SignInAgain:
        raise
    except NetworkError:
        return {}
    if not quotas or quotas[0].config is None:
        return {}
    return {"posts_a_day": quotas[0].config.quota_total, "posts_today": quotas[0].quota_usage}
