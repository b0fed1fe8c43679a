"""The calls of Reddit's API that the sandbox answers. Clients write them with a slash at the end or without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.reddit import doing, looking, modmail, oauth, submitting
from regie_sandbox.reddit.call import Call, authed
from regie_sandbox.reddit.rules import LARGEST_REQUEST

if TYPE_CHECKING:
    from regie_sandbox.reddit.app import Reddit

Do = Callable[[Call], Awaitable[Any]]
END = "{end:/?}"


def application(net: Reddit) -> web.Application:
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.add_routes(oauth.routes(net))
    app.add_routes([web.post(r"/{bucket:reddit-uploaded-(?:media|video)}", submitting.store(net))])

    def get(path: str, do: Do, scope: str) -> None:
        app.router.add_get(f"{path}{END}", authed(net, do, scope))

    def post(path: str, do: Do, scope: str) -> None:
        app.router.add_post(f"{path}{END}", authed(net, do, scope))

    post("/api/submit", submitting.submit, "submit")
    post("/api/submit_gallery_post.json", submitting.gallery, "submit")
    post("/api/submit_poll_post", submitting.poll, "submit")
    post("/api/media/asset.json", submitting.asset, "submit")
    post("/api/comment", doing.comment, "")
    post("/api/editusertext", doing.edit, "edit")
    post("/api/del", doing.delete, "edit")
    post("/api/vote", doing.vote, "vote")
    post("/api/remove", doing.remove, "modposts")
    post("/api/approve", doing.approve, "modposts")
    post("/api/compose", doing.compose, "privatemessages")
    post("/api/read_message", doing.read_message, "privatemessages")
    post("/r/{community}/api/flairselector", looking.flair_choices, "flair")
    get("/r/{community}/api/link_flair_v2", looking.flairs, "flair")
    get("/r/{community}/about", looking.about, "read")
    get("/api/v1/{community}/post_requirements", looking.requirements, "submit")
    get("/api/v1/me", looking.me, "identity")
    get("/api/v1/me/karma", looking.karma, "mysubreddits")
    get("/api/info", looking.info, "read")
    get("/comments/{post}", looking.comments, "read")
    get("/user/{name}/{what:submitted|comments|overview}", looking.of_person, "history")
    get("/api/mod/conversations", modmail.conversations, "modmail")
    get("/api/mod/conversations/{id}", modmail.conversation, "modmail")
    post("/api/mod/conversations/{id}", modmail.answer, "modmail")
    get("/message/{where}", looking.inbox, "privatemessages")
    get("/subreddits/mine/{what:moderator|subscriber}", looking.mine, "mysubreddits")
    return app
