"""Where people read what was published: a post with its comments, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from aiohttp import web

from regie_sandbox.graph.oauth import PAGE
from regie_sandbox.linkedin.state import Member, Page, Post

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn


def routes(net: LinkedIn, prefix: str) -> list[web.RouteDef]:
    def shown(title: str, posts: Sequence[Post]) -> web.Response:
        body = f"<h1>{escape(title)}</h1>" + "".join(_article(net, one) for one in posts)
        return web.Response(text=PAGE.format(title=escape(title), body=body), content_type="text/html")

    async def one(request: web.Request) -> web.Response:
        post = net.state.posts.get(request.match_info["urn"])
        if post is None:
            raise web.HTTPNotFound
        return shown("Post", [post])

    async def all_of(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        everybody: list[Page | Member] = [*net.state.pages.values(), *net.state.members.values()]
        who = next((each for each in everybody if each.vanity == name), None)
        if who is None:
            raise web.HTTPNotFound
        return shown(name, [post for post in reversed(net.state.posts.values()) if post.author == who.urn])

    return [
        web.get(f"{prefix}/feed/update/{{urn}}/", one),
        web.get(f"{prefix}/company/{{name}}/", all_of),
        web.get(f"{prefix}/in/{{name}}/", all_of),
    ]


def _article(net: LinkedIn, post: Post) -> str:
    said = "".join(
        f"<li><b>{escape(net.named(each.actor))}</b> {escape(each.text)}</li>"
        for each in (net.state.comments[urn] for urn in post.comments)
    )
    about = f"{len(post.likes)} likes, {post.shares} reposts"
    return (
        f"<article><p><b>{escape(net.named(post.author))}</b></p><p>{escape(post.text)}</p>"
        f"<p>{about}</p><ul>{said}</ul></article>"
    )
