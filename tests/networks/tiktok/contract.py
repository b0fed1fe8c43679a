"""TikTok's open API as its pages describe it, by hand: it publishes no machine-readable description.

Each shape names the page it was read from. Where the extract of those pages is there, a test holds the names against
the page's tables, so that none is ours alone; every exchange with the sandbox is held against the shapes in any case.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from regie_sandbox.tiktok.app import TikTok

ROOT = Path(__file__).resolve().parents[3]
EXTRACT = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "tiktok-open" / "docs-extract.json"

Check = Callable[[Any], bool]
STRING: Check = lambda value: isinstance(value, str)  # noqa: E731
BOOL: Check = lambda value: isinstance(value, bool)  # noqa: E731
WHOLE: Check = lambda value: isinstance(value, int) and not isinstance(value, bool)  # noqa: E731
STRINGS: Check = lambda value: isinstance(value, list) and all(map(STRING, value))  # noqa: E731
WHOLES: Check = lambda value: isinstance(value, list) and all(map(WHOLE, value))  # noqa: E731


def one_of(*words: str) -> Check:
    return lambda value: value in words


@dataclass(frozen=True)
class Shape:
    """An object's fields; ``needs``: those that must be there."""

    fields: Mapping[str, Any]
    needs: frozenset[str] = frozenset()

    def departs(self, value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is no object: {value!r}"
            return
        yield from (f"{where}.{name} is missing" for name in self.needs - set(value))
        for name, inner in value.items():
            known = self.fields.get(name)
            if known is None:
                yield f"{where}.{name} is not described"
            elif isinstance(known, Shape):
                yield from known.departs(inner, f"{where}.{name}")
            elif isinstance(known, Each):
                for nth, one in enumerate(inner):
                    yield from known.shape.departs(one, f"{where}.{name}[{nth}]")
            elif not known(inner):
                yield f"{where}.{name} does not fit: {inner!r}"

    def names(self) -> Iterator[str]:
        for name, inner in self.fields.items():
            yield name
            if isinstance(inner, Shape):
                yield from inner.names()
            elif isinstance(inner, Each):
                yield from inner.shape.names()


@dataclass(frozen=True)
class Each:
    """A list of objects."""

    shape: Shape


@dataclass(frozen=True)
class Deed:
    """One endpoint. ``pages`` describe it; ``told``: what stands under ``data``; ``form``: the body is a form."""

    pages: tuple[str, ...]
    sent: Shape = Shape({})
    told: Shape = Shape({})
    chooses: frozenset[str] = frozenset()  # names that the query's ``fields`` may hold
    form: bool = False


REFERENCE = "Content Posting API/API Reference"
PRIVACY = one_of("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
ABOUT_BOTH = {
    "privacy_level": PRIVACY,
    "disable_comment": BOOL,
    "brand_content_toggle": BOOL,
    "brand_organic_toggle": BOOL,
}
ERROR = Shape({"code": STRING, "message": STRING, "log_id": STRING}, frozenset(("code", "message", "log_id")))
BEGUN = Shape({"publish_id": lambda value: STRING(value) and len(value) <= 64}, frozenset(("publish_id",)))
USER = {
    "open_id": STRING, "union_id": STRING, "avatar_url": STRING, "display_name": STRING, "username": STRING,
    "follower_count": WHOLE, "following_count": WHOLE, "likes_count": WHOLE, "video_count": WHOLE,
}  # fmt: skip
VIDEO = {
    "id": STRING, "create_time": WHOLE, "title": STRING, "video_description": STRING, "share_url": STRING,
    "like_count": WHOLE, "comment_count": WHOLE, "share_count": WHOLE, "view_count": WHOLE,
}  # fmt: skip
TOKEN = Shape(
    {
        "open_id": STRING, "scope": STRING, "access_token": STRING, "expires_in": WHOLE, "refresh_token": STRING,
        "refresh_expires_in": WHOLE, "token_type": one_of("Bearer"),
    },
    frozenset(("open_id", "scope", "access_token", "expires_in", "refresh_token", "refresh_expires_in", "token_type")),
)  # fmt: skip
KEYS = {"client_key": STRING, "client_secret": STRING}
OAUTH = "Integration Essentials/Server API/OAuth/OAuth"
DEEDS: Mapping[tuple[str, str], Deed] = {
    ("POST", "/v2/post/publish/creator_info/query/"): Deed(
        (f"{REFERENCE}/Query Creator Info",),
        told=Shape(
            {
                "creator_avatar_url": STRING,
                "creator_username": STRING,
                "creator_nickname": STRING,
                "privacy_level_options": lambda value: STRINGS(value) and all(map(PRIVACY, value)),
                "comment_disabled": BOOL,
                "duet_disabled": BOOL,
                "stitch_disabled": BOOL,
                "max_video_post_duration_sec": WHOLE,
            }
        ),
    ),
    ("POST", "/v2/post/publish/video/init/"): Deed(
        (f"{REFERENCE}/API Reference",),
        sent=Shape(
            {
                "post_info": Shape(
                    {
                        **ABOUT_BOTH,
                        "title": STRING,
                        "disable_duet": BOOL,
                        "disable_stitch": BOOL,
                        "video_cover_timestamp_ms": WHOLE,
                        "is_aigc": BOOL,
                    },
                    frozenset(("privacy_level", "brand_content_toggle")),
                ),
                "source_info": Shape(
                    {
                        "source": one_of("FILE_UPLOAD"),
                        "video_size": WHOLE,
                        "chunk_size": WHOLE,
                        "total_chunk_count": WHOLE,
                    },
                    frozenset(("source", "video_size", "chunk_size", "total_chunk_count")),
                ),
            },
            frozenset(("post_info", "source_info")),
        ),
        told=Shape({**BEGUN.fields, "upload_url": lambda value: STRING(value) and len(value) <= 256}, BEGUN.needs),
    ),
    ("POST", "/v2/post/publish/content/init/"): Deed(
        (f"{REFERENCE}/Photo",),
        sent=Shape(
            {
                "media_type": one_of("PHOTO"),
                "post_mode": one_of("DIRECT_POST"),
                "post_info": Shape(
                    {**ABOUT_BOTH, "title": STRING, "description": STRING, "auto_add_music": BOOL},
                    frozenset(("privacy_level", "brand_content_toggle", "brand_organic_toggle")),
                ),
                "source_info": Shape(
                    {
                        "source": one_of("PULL_FROM_URL"),
                        "photo_images": lambda value: STRINGS(value) and len(value) <= 35,
                        "photo_cover_index": WHOLE,
                    },
                    frozenset(("source", "photo_images", "photo_cover_index")),
                ),
            },
            frozenset(("media_type", "post_mode", "post_info", "source_info")),
        ),
        told=BEGUN,
    ),
    ("POST", "/v2/post/publish/status/fetch/"): Deed(
        (f"{REFERENCE}/Get Post Status",),
        sent=Shape({"publish_id": STRING}, frozenset(("publish_id",))),
        told=Shape(
            {
                "status": one_of("PROCESSING_UPLOAD", "PROCESSING_DOWNLOAD", "PUBLISH_COMPLETE", "FAILED"),
                "fail_reason": STRING,
                "publicaly_available_post_id": WHOLES,
                "uploaded_bytes": WHOLE,
            },
            frozenset(("status",)),
        ),
    ),
    ("GET", "/v2/user/info/"): Deed(
        ("Display API/API Reference/API Reference",),
        told=Shape({"user": Shape(USER)}, frozenset(("user",))),
        chooses=frozenset(USER),
    ),
    ("POST", "/v2/video/list/"): Deed(
        ("Display API/API Reference/List Videos", "Display API/API Reference/Video Object"),
        sent=Shape({"cursor": WHOLE, "max_count": lambda value: WHOLE(value) and 1 <= value <= 20}),
        told=Shape({"videos": Each(Shape(VIDEO)), "cursor": WHOLE, "has_more": BOOL}),
        chooses=frozenset(VIDEO),
    ),
    ("POST", "/v2/video/query/"): Deed(
        ("Display API/API Reference/Query Videos", "Display API/API Reference/Video Object"),
        sent=Shape(
            {"filters": Shape({"video_ids": lambda value: STRINGS(value) and 1 <= len(value) <= 20})},
            frozenset(("filters",)),
        ),
        told=Shape({"videos": Each(Shape(VIDEO))}),
        chooses=frozenset(VIDEO),
    ),
    ("POST", "/v2/oauth/token/"): Deed(
        (OAUTH,),
        sent=Shape(
            {
                **KEYS,
                "grant_type": one_of("authorization_code", "refresh_token"),
                "code": STRING,
                "redirect_uri": STRING,
                "refresh_token": STRING,
            },
            frozenset((*KEYS, "grant_type")),
        ),
        told=TOKEN,
        form=True,
    ),
    ("POST", "/v2/oauth/revoke/"): Deed(
        (OAUTH,), sent=Shape({**KEYS, "token": STRING}, frozenset((*KEYS, "token"))), form=True
    ),
}

# TikTok API for Business: its portal has no pages that could be kept, so these come from several readers' field lists.

NUMBER: Check = lambda value: isinstance(value, str) and value.isdigit()  # noqa: E731 - in a query, and for times
TRUTH = one_of("true", "false")
WHO = {"business_id": STRING}


def listed(*words: str) -> Check:
    """A JSON list in a query."""
    return lambda value: set(json.loads(value)) <= set(words)


def needing(fields: Mapping[str, Any], *more: str) -> Shape:
    """All that belongs to the account, and these."""
    return Shape({**WHO, **fields}, frozenset((*WHO, *more)))


COMMENT = {
    "comment_id": STRING, "video_id": STRING, "user_id": STRING, "unique_identifier": STRING, "create_time": NUMBER,
    "text": STRING, "likes": WHOLE, "replies": WHOLE, "owner": BOOL, "liked": BOOL, "pinned": BOOL,
    "status": one_of("PUBLIC", "HIDDEN"), "username": STRING, "display_name": STRING, "profile_image": STRING,
    "parent_comment_id": STRING,
}  # fmt: skip
COMMENTS = Shape(
    {"comments": Each(Shape({**COMMENT, "reply_list": Each(Shape(COMMENT))})), "cursor": WHOLE, "has_more": BOOL}
)
PAGING = {
    "status": one_of("ALL", "PUBLIC"),
    "sort_field": one_of("likes", "replies", "create_time"),
    "sort_order": one_of("asc", "desc", "smart"),
    "cursor": NUMBER,
    "max_count": lambda value: NUMBER(value) and 1 <= int(value) <= 30,
}
ITEM = {
    "item_id": STRING, "create_time": NUMBER, "caption": STRING, "share_url": STRING, "likes": WHOLE, "comments": WHOLE,
    "shares": WHOLE, "video_views": WHOLE, "favorites": WHOLE, "reach": WHOLE,
    "total_time_watched": lambda value: isinstance(value, float),
    "average_time_watched": lambda value: isinstance(value, float),
}  # fmt: skip
OF_BOTH = {"caption": STRING, "is_brand_organic": BOOL, "is_branded_content": BOOL, "disable_comment": BOOL}
BRANDED = frozenset(("is_brand_organic", "is_branded_content"))
SHARED = Shape({"share_id": STRING}, frozenset(("share_id",)))
SECRET = {"client_id": STRING, "client_secret": STRING}
GRANT = {"grant_type": one_of("authorization_code", "refresh_token")}
BUSINESS_TOKEN = Shape(
    {
        **{name: check for name, check in TOKEN.fields.items() if name != "refresh_expires_in"},
        "refresh_token_expires_in": WHOLE,
    },
    frozenset(("open_id", "access_token", "refresh_token", "expires_in", "refresh_token_expires_in", "scope")),
)
SAID = Shape(
    {"code": WHOLE, "message": STRING, "request_id": STRING, "data": lambda value: isinstance(value, dict)},
    frozenset(("code", "message", "request_id")),
)
API = "/business/open_api/v1.3"
ACCOUNT = {
    "username": STRING, "display_name": STRING, "profile_image": STRING, "followers_count": WHOLE,
    "following_count": WHOLE, "total_likes": WHOLE, "videos_count": WHOLE,
}  # fmt: skip
OF_DAY = {"video_views": WHOLE, "unique_video_views": WHOLE, "engaged_audience": WHOLE}
OF_BUSINESS: Mapping[tuple[str, str], Deed] = {
    ("POST", "/tt_user/oauth2/token/"): Deed(
        (),
        Shape({**SECRET, **GRANT, "auth_code": STRING, "redirect_uri": lambda value: value.endswith("/")}),
        BUSINESS_TOKEN,
    ),
    ("POST", "/tt_user/oauth2/refresh_token/"): Deed(
        (), Shape({**SECRET, **GRANT, "refresh_token": STRING}), BUSINESS_TOKEN
    ),
    ("POST", "/tt_user/oauth2/revoke/"): Deed((), Shape({**SECRET, "access_token": STRING})),
    ("POST", "/business/webhook/update/"): Deed(
        (),
        Shape({"app_id": STRING, "secret": STRING, "event_type": one_of("COMMENT", "VIDEO"), "callback_url": STRING}),
        Shape({"app_id": STRING, "event_type": STRING, "callback_url": STRING}),
    ),
    ("GET", "/business/get/"): Deed(
        (),
        needing({"fields": listed(*ACCOUNT, *OF_DAY)}),
        Shape({**ACCOUNT, "metrics": Each(Shape({"date": STRING, **OF_DAY}))}),
    ),
    ("GET", "/business/video/settings/"): Deed(
        (),
        needing({}),
        Shape(
            {
                "comment_disabled": BOOL,
                "duet_disabled": BOOL,
                "stitch_disabled": BOOL,
                "max_video_post_duration_sec": WHOLE,
            }
        ),
    ),
    ("GET", "/business/video/list/"): Deed(
        (),
        needing(
            {
                "fields": lambda value: "item_id" in json.loads(value) and listed(*ITEM)(value),
                "cursor": NUMBER,
                "max_count": lambda value: 1 <= int(value) <= 20,
                "filters": lambda value: STRINGS(json.loads(value)["video_ids"]),
            }
        ),
        Shape({"videos": Each(Shape(ITEM)), "cursor": WHOLE, "has_more": BOOL}),
    ),
    ("POST", "/business/video/publish/"): Deed(
        (),
        needing(
            {
                "video_url": STRING,
                "custom_thumbnail_url": STRING,
                "post_info": Shape(
                    {
                        **OF_BOTH,
                        "disable_duet": BOOL,
                        "disable_stitch": BOOL,
                        "thumbnail_offset": WHOLE,
                        "is_ai_generated": BOOL,
                    },
                    BRANDED,
                ),
            },
            "video_url",
            "post_info",
        ),
        SHARED,
    ),
    ("POST", "/business/photo/publish/"): Deed(
        (),
        needing(
            {
                "photo_images": STRINGS,
                "photo_cover_index": WHOLE,
                "post_info": Shape(
                    {**OF_BOTH, "title": STRING, "privacy_level": PRIVACY, "auto_add_music": BOOL}, BRANDED
                ),
            },
            "photo_images",
            "post_info",
        ),
        SHARED,
    ),
    ("GET", "/business/publish/status/"): Deed(
        (),
        needing({"publish_id": STRING}, "publish_id"),
        Shape(
            {
                "status": one_of("PROCESSING_DOWNLOAD", "PUBLISH_COMPLETE", "FAILED"),
                "post_ids": STRINGS,
                "reason": STRING,
            },
            frozenset(("status",)),
        ),
    ),
    ("GET", "/business/comment/list/"): Deed(
        (), needing({"video_id": STRING, "include_replies": TRUTH, **PAGING}, "video_id"), COMMENTS
    ),
    ("GET", "/business/comment/reply/list/"): Deed(
        (), needing({"video_id": STRING, "comment_id": STRING, **PAGING}, "video_id", "comment_id"), COMMENTS
    ),
    ("POST", "/business/comment/create/"): Deed(
        (), needing({"video_id": STRING, "text": STRING}, "video_id", "text"), Shape(COMMENT)
    ),
    ("POST", "/business/comment/reply/create/"): Deed(
        (),
        needing({"video_id": STRING, "comment_id": STRING, "text": STRING}, "video_id", "comment_id", "text"),
        Shape(COMMENT),
    ),
    ("POST", "/business/comment/like/"): Deed(
        (), needing({"comment_id": STRING, "action": one_of("LIKE", "UNLIKE")}, "comment_id", "action")
    ),
    ("POST", "/business/comment/hide/"): Deed(
        (),
        needing(
            {"video_id": STRING, "comment_id": STRING, "action": one_of("HIDE", "UNHIDE")},
            "video_id",
            "comment_id",
            "action",
        ),
    ),
    ("POST", "/business/comment/delete/"): Deed((), needing({"comment_id": STRING}, "comment_id")),
}
RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")
UPLOAD_SAYS = {201, 206, 400, 403, 404, 416}


@dataclass
class Exchanges:
    """What passed over the wire of one sandbox, faults aside. ``problems``: what departs from the pages."""

    problems: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def watch(self, net: TikTok) -> None:
        made = net.app

        def app() -> web.Application:
            inner = made()
            inner.middlewares.append(self._door)
            return inner

        setattr(net, "app", app)  # noqa: B010 - mypy knows it as a method

    @property
    def _door(self) -> Any:
        @web.middleware
        async def door(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            body = await request.read()
            answer = await handler(request)
            if request.path.startswith(API):
                self._hold_business(request, body, answer)
            elif not request.path.startswith(("/_sandbox", "/v2/auth/", "/business/v2/auth/")):
                self._hold(request, body, answer)
            return answer

        return door

    def _hold(self, request: web.Request, body: bytes, answer: web.StreamResponse) -> None:
        if (request.method, request.path) == ("PUT", "/video/"):
            self._hold_part(request, body, answer)
            return
        where = f"{request.method} {request.path}"
        deed = DEEDS.get((request.method, request.path))
        if deed is None:
            self.problems.append(f"{where} is not described")
            return
        self.seen.add((request.method, request.path))
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        told = json.loads(answer.body)
        if deed.form:
            self.problems += deed.sent.departs(dict(parse_qsl(body.decode())), where)
            if answer.status == 200:
                self.problems += deed.told.departs(told, f"{where} answers")
            return
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            self.problems.append(f"{where} has no token")
        if body and request.content_type != "application/json":
            self.problems.append(f"{where} is not JSON")
        self.problems += deed.sent.departs(json.loads(body or b"{}"), where)
        asked = {name for name in request.query.get("fields", "").split(",") if name}
        self.problems += [f"{where} asks for {name}" for name in asked - deed.chooses]
        self.problems += ERROR.departs(told.get("error"), f"{where} answers error")
        if told.get("error", {}).get("code") == "ok":
            self.problems += deed.told.departs(told.get("data"), f"{where} answers data")

    def _hold_business(self, request: web.Request, body: bytes, answer: web.StreamResponse) -> None:
        path = request.path.removeprefix(API)
        where = f"{request.method} {path}"
        deed = OF_BUSINESS.get((request.method, path))
        if deed is None:
            self.problems.append(f"{where} is not described")
            return
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        sent, told = dict(request.query) if request.method == "GET" else json.loads(body), json.loads(answer.body)
        if bool(request.headers.get("Access-Token")) is not ("business_id" in deed.sent.fields):
            self.problems.append(f"{where}: the token where none belongs, or none where it does")
        self.problems += deed.sent.departs(sent, where)
        self.problems += SAID.departs(told, f"{where} answers")
        if told["code"] == 0:
            self.problems += deed.told.departs(told["data"], f"{where} answers data")

    def _hold_part(self, request: web.Request, body: bytes, answer: web.StreamResponse) -> None:
        found = RANGE.match(request.headers.get("Content-Range", ""))
        if found is None or int(found[2]) - int(found[1]) + 1 != len(body) != int(request.headers["Content-Length"]):
            self.problems.append(f"A part does not say what it is: {request.headers}")
        if request.headers.get("Content-Type") not in ("video/mp4", "video/quicktime", "video/webm"):
            self.problems.append("A part does not say its kind.")
        if "Authorization" in request.headers:
            self.problems.append("A part carries the account's token.")
        if answer.status not in UPLOAD_SAYS:
            self.problems.append(f"An upload answers {answer.status}.")
