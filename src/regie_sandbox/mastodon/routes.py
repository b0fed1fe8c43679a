"""All addresses of the server, and the pages a person can open."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.mastodon import accounts, markup, oauth, rules, shown, statuses
from regie_sandbox.mastodon.call import public
from regie_sandbox.mastodon.rules import not_found
from regie_sandbox.mastodon.state import Status

if TYPE_CHECKING:
    from regie_sandbox.mastodon.app import Mastodon


def application(server: Mastodon) -> web.Application:
    app = web.Application(client_max_size=rules.LARGEST_REQUEST)
    app.add_routes([*statuses.routes(server), *accounts.routes(server), *oauth.routes(server), *_about(server)])
    return app


def _about(server: Mastodon) -> list[web.RouteDef]:
    async def instance(_: web.Request) -> Any:
        return server.shows.instance()

    async def instance_v1(_: web.Request) -> Any:
        return server.shows.instance_v1()

    async def nodeinfo_links(_: web.Request) -> Any:
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return {"links": [{"rel": rel, "href": f"{server.base}/nodeinfo/2.0"}]}

    async def nodeinfo(_: web.Request) -> Any:
        people = len(server.state.people)
        return {
            "version": "2.0",
            "software": {"name": "mastodon", "version": shown.VERSION},
            "protocols": ["activitypub"],
            "services": {"outbound": [], "inbound": []},
            "usage": {"users": {"total": people}, "localPosts": len(server.state.statuses)},
            "openRegistrations": False,
            "metadata": {},
        }

    async def avatar(request: web.Request) -> web.Response:
        return web.Response(body=markup.avatar(request.match_info["id"]), content_type="image/png")

    async def media(request: web.Request) -> web.Response:
        known = server.state.media.get(request.match_info["id"])
        content = server.world.files.get(f"mastodon-{known.id}") if known else None
        if known is None or content is None:
            raise not_found()
        return web.Response(body=content, content_type=known.content_type)

    async def profile(request: web.Request) -> web.Response:
        known = server.state.names.get(request.match_info["name"].lower())
        if known is None:
            raise not_found()
        person = server.state.people[known]
        posts = [server.state.statuses[one] for one in reversed(person.statuses[-40:])]
        return _page(server, f"@{person.username}", [one for one in posts if one.visibility == "public"])

    async def post(request: web.Request) -> web.Response:
        status = server.status(request.match_info["id"])
        if status.visibility not in ("public", "unlisted"):
            raise not_found()
        replies = [one for one in server.below(status) if one.visibility in ("public", "unlisted")]
        return _page(server, "Post", [status, *replies])

    return [
        web.get("/api/v2/instance", public(instance)),
        web.get("/api/v2/instance/", public(instance)),
        web.get("/api/v1/instance", public(instance_v1)),
        web.get("/api/v1/instance/", public(instance_v1)),
        web.get("/.well-known/nodeinfo", public(nodeinfo_links)),
        web.get("/nodeinfo/2.0", public(nodeinfo)),
        web.get("/avatars/{id}.png", avatar),
        web.get("/media/{id}", public(media)),
        web.get("/@{name}", public(profile)),
        web.get("/@{name}/{id}", public(post)),
    ]


def _page(server: Mastodon, title: str, posts: list[Status]) -> web.Response:
    body = f"<h1>{escape(title)}</h1>" + "".join(_article(server, one) for one in posts)
    return web.Response(text=oauth.PAGE.format(title=escape(title), body=body), content_type="text/html")


def _article(server: Mastodon, status: Status) -> str:
    status = server.state.statuses.get(status.reblog_of_id or "", status)
    name = escape(server.state.people[status.account_id].display_name)
    pictures = "".join(
        f'<img src="/media/{one}" alt="{escape(server.state.media[one].description or "")}" width="100%">'
        for one in status.media_ids
    )
    warning = f"<p><em>{escape(status.spoiler_text)}</em></p>" if status.spoiler_text else ""
    counts = f"{len(status.favourited_by)} favourites, {len(status.reblogged_by)} boosts, {len(status.replies)} replies"
    at = f'<time datetime="{status.created_at.isoformat()}">{status.created_at:%Y-%m-%d %H:%M} UTC</time>'
    text = server.shows.html(status)
    return f"<article><p><strong>{name}</strong> {at}</p>{warning}{text}{pictures}<p>{counts}</p></article>"
