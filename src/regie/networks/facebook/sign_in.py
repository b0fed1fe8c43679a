"""Through Facebook's dialog to the Pages that a person manages. Each has a token of its own, which does not run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused
from regie.networks.facebook.entities import PageNode
from regie.networks.facebook.wire import NETWORK, Wire
from regie.networks.meta import sign_in as meta
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import Graph, parsed

SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_user_content",
    "pages_messaging",
    "pages_manage_metadata",
    "read_insights",
    "business_management",
)
MISSING = {
    "pages_manage_posts": "Nothing can be published: connect again and leave publishing ticked.",
    "pages_manage_engagement": "Comments can be neither written, liked, hidden nor deleted: connect again and leave "
    "answering comments ticked.",
    "pages_read_user_content": "Comments can be neither read nor answered: connect again and leave comments ticked.",
    "pages_messaging": "Direct messages can be neither read nor answered: connect again and leave messages ticked.",
    "read_insights": "There are no numbers but likes and comments: connect again and leave insights ticked.",
}
ME = "id,name,username,link,followers_count,picture{url}"


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    return meta.start(server, app=app, redirect_uri=redirect_uri, scopes=SCOPES)


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    """Every Page that the person ticked and manages."""
    code = meta.code_in(query, network=NETWORK)
    token = await meta.user_token(http, server, app=app, redirect_uri=redirect_uri, code=code, network=NETWORK)
    graph = Graph(http, server=server, token=token.access_token, network=NETWORK, secret=app.client_secret)
    scopes = await meta.granted(graph)
    profiles = [
        profile_of(
            page, server=server, limits={"missing": missing(scopes)}, credentials={"access_token": page.access_token}
        )
        for page in await _pages(graph)
        if page.access_token
    ]
    if not profiles:
        raise Refused("You manage no Page on {network}, or gave access to none.", network=NETWORK)
    return SignedIn(credentials={}, profiles=tuple(profiles), scopes=scopes)


async def _pages(graph: Graph) -> list[PageNode]:
    found: list[PageNode] = []
    after = ""
    for _ in range(meta.MOST_PAGES):
        params = {"fields": f"{ME},access_token", "limit": "100", **({"after": after} if after else {})}
        page = parsed(await graph.get("/me/accounts", params), Edge[PageNode], network=NETWORK)
        found += page.data
        after = page.after
        if not after:
            break
    return found


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when Facebook did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


async def me(wire: Wire) -> PageNode:
    return parsed(await wire.graph.get(f"/{wire.page}", {"fields": ME}, vital=True), PageNode, network=NETWORK)


async def whoami(wire: Wire) -> Profile:
    found = await me(wire)
    kept = {name: wire.login.limits[name] for name in ("missing",) if name in wire.login.limits}
    return profile_of(found, server=wire.login.server, limits=kept)


def profile_of(
    page: PageNode, *, server: str, limits: Mapping[str, Any], credentials: Mapping[str, str] | None = None
) -> Profile:
    return Profile(
        remote_id=page.id,
        name=page.name,
        handle=f"@{page.username}" if page.username else page.name,
        server=server,
        url=page.link or f"https://www.facebook.com/{page.id}",
        avatar_url=page.picture.data.url,
        kind="page",
        limits=limits,
        credentials=credentials or {},
    )
