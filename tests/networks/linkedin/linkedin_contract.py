"""LinkedIn's API as far as we use it, written by hand: it publishes no description of its own.

Sources: the pages and notes named in the connector's NOTES.md. ``test_linkedin_names.py`` holds the paths against the
third parties' files, where those know them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from jsonschema import Draft202012Validator

from regie_sandbox.linkedin.app import LinkedIn

Json = Mapping[str, Any]
URN = {"type": "string", "pattern": r"^urn:li:[a-zA-Z]+:.+$"}
AUTHOR = {"type": "string", "pattern": r"^urn:li:(person|organization):[\w-]+$"}
TIME = {"type": "integer", "minimum": 10**12}
STRING = {"type": "string"}
KEY = r"urn%3Ali%3A[A-Za-z]+%3A[\w%.-]+"


def record(needed: Json, more: Json | None = None, *, open_: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, **(more or {})},
        "additionalProperties": open_,
    }


def many(of: Json, least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": least, **({"maxItems": most} if most else {})}


def page(of: Json) -> dict[str, Any]:
    paging = record({"start": {"type": "integer"}, "count": {"type": "integer"}}, {"links": {}, "total": {}})
    return record({"elements": many(of)}, {"paging": paging})


def patch(of: Json) -> dict[str, Any]:
    return record({"patch": of})


MEDIA = record({"id": URN}, {"title": {**STRING, "maxLength": 400}, "altText": {**STRING, "maxLength": 4086}})
CONTENT = {
    "oneOf": [
        record({"media": MEDIA}),
        record({"multiImage": record({"images": many(record({"id": URN}, {"altText": STRING}), 2, 20)})}),
        record(
            {
                "article": record(
                    {"source": {**STRING, "pattern": "^https?://"}, "title": {**STRING, "maxLength": 400}},
                    {"description": {**STRING, "maxLength": 4086}, "thumbnail": URN},
                )
            }
        ),
        record(
            {
                "poll": record(
                    {
                        "question": {**STRING, "minLength": 1, "maxLength": 140},
                        "options": many(record({"text": {**STRING, "minLength": 1, "maxLength": 30}}), 2, 4),
                        "settings": record(
                            {"duration": {"enum": ["ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS"]}}
                        ),
                    }
                )
            }
        ),
    ]
}
TARGET = record(
    {},
    {
        **{name: many(URN, 1) for name in ("geoLocations", "industries", "jobFunctions", "seniorities")},
        "interfaceLocales": many(record({"language": STRING, "country": STRING}), 1),
    },
)
POST = record(
    {
        "author": AUTHOR,
        "commentary": {**STRING, "not": {"pattern": r"(^|[^\\\]|}\w])[<>*~]"}},
        "visibility": {"enum": ["PUBLIC", "CONNECTIONS", "LOGGED_IN"]},
        "distribution": record(
            {
                "feedDistribution": {"enum": ["MAIN_FEED"]},
                "targetEntities": many(TARGET),
                "thirdPartyDistributionChannels": many(STRING),
            }
        ),
        "lifecycleState": {"const": "PUBLISHED"},
        "isReshareDisabledByAuthor": {"type": "boolean"},
    },
    {"content": CONTENT},
)
SHOWN_POST = record(
    {
        "id": URN,
        "author": AUTHOR,
        "commentary": STRING,
        "createdAt": TIME,
        "publishedAt": TIME,
        "lifecycleState": STRING,
    },
    open_=True,
)
MESSAGE = record({"text": {**STRING, "minLength": 1, "maxLength": 1250}})
COMMENT = record({"actor": AUTHOR, "object": URN, "message": MESSAGE}, {"parentComment": URN})
SHOWN_COMMENT = record(
    {
        "id": {**STRING, "pattern": r"^\d+$"},
        "commentUrn": {**STRING, "pattern": r"^urn:li:comment:\(urn:li:activity:\d+,\d+\)$"},
        "actor": AUTHOR,
        "object": URN,
        "message": record({"text": STRING}, open_=True),
        "created": record({"time": TIME}, open_=True),
    },
    open_=True,
)
DECORATION = record({"entity": URN}, dict.fromkeys(("owner", "text", "mediaCategory", "object"), STRING))
NOTIFICATION = record(
    {
        "notificationId": {"type": "integer"},
        "organizationalEntity": AUTHOR,
        "action": {
            "enum": ["LIKE", "COMMENT", "SHARE", "SHARE_MENTION", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE"]
        },
        "sourcePost": URN,
        "lastModifiedAt": TIME,
    },
    {
        "decoratedSourcePost": DECORATION,
        "generatedActivity": URN,
        "decoratedGeneratedActivity": record({}, {"comment": DECORATION, "share": DECORATION}),
        "subscriber": URN,
    },
)
COUNT = {"type": "integer", "minimum": 0}
STATISTICS = record(
    {
        "totalShareStatistics": record(
            {
                **dict.fromkeys(("impressionCount", "uniqueImpressionsCount", "clickCount", "likeCount"), COUNT),
                **dict.fromkeys(("commentCount", "shareCount"), COUNT),
                "engagement": {"type": "number"},
            }
        ),
        "organizationalEntity": AUTHOR,
    },
    {"share": URN, "ugcPost": URN, "timeRange": {}},
)
ASSET = record(
    {"id": URN, "owner": AUTHOR, "status": {"enum": ["WAITING_UPLOAD", "PROCESSING", "AVAILABLE", "PROCESSING_FAILED"]}}
)
OWNED = record({"initializeUploadRequest": record({"owner": AUTHOR})})
BEGUN_VIDEO = record(
    {
        "video": URN,
        "uploadToken": STRING,
        "uploadUrlsExpireAt": TIME,
        "uploadInstructions": many(
            record({"uploadUrl": STRING, "firstByte": COUNT, "lastByte": COUNT}),
            1,
        ),
    },
    {"captionsUploadUrl": STRING, "thumbnailUploadUrl": STRING},
)
VIDEO = {
    "oneOf": [
        record(
            {
                "initializeUploadRequest": record(
                    {
                        "owner": AUTHOR,
                        "fileSizeBytes": {"type": "integer", "minimum": 75_000, "maximum": 500_000_000},
                        "uploadCaptions": {"type": "boolean"},
                        "uploadThumbnail": {"type": "boolean"},
                    }
                )
            }
        ),
        record(
            {
                "finalizeUploadRequest": record(
                    {"video": URN, "uploadToken": STRING, "uploadedPartIds": many({**STRING, "minLength": 1}, 1)}
                )
            }
        ),
    ]
}
ORGANIZATION = record({"id": {"type": "integer"}, "localizedName": STRING, "vanityName": STRING}, open_=True)
ERROR = record(
    {"status": {"type": "integer"}, "code": STRING, "message": STRING, "serviceErrorCode": {"type": "integer"}}
)


@dataclass(frozen=True)
class Call:
    """``path``: a pattern for the bytes on the wire; ``query``: name -> pattern for its bytes, all of them needed but
    those in ``may``; ``method``: Rest.li's word that has to come; ``known``: in the third parties' files as that."""

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    method: str = ""
    body: Json | None = None
    answer: Json | None = None
    status: int = 200
    known: str = ""


PLACE = {"start": r"\d+", "count": r"\d+"}
CALLS = (
    Call("GET", "/rest/me", answer=record({"id": STRING, "localizedFirstName": STRING}, open_=True)),
    Call("GET", r"/rest/people/\(id:[\w%-]+\)", answer=record({"id": STRING}, open_=True)),
    Call(
        "GET",
        "/rest/organizationAcls",
        {"q": "roleAssignee", "state": "APPROVED", **PLACE},
        answer=page(record({"role": STRING, "organization": AUTHOR, "state": STRING}, {"roleAssignee": AUTHOR})),
        known="/organizationAcls",
    ),
    Call("GET", r"/rest/organizations/\d+", answer=ORGANIZATION, known="/organizations/{organization_id}"),
    Call(
        "GET",
        "/rest/organizationsLookup",
        {"ids": r"List\(\d+\)"},
        answer=record({"results": {"additionalProperties": ORGANIZATION}}, {"statuses": {}, "errors": {}}),
        known="/organizationsLookup",
    ),
    *(
        Call(
            "POST",
            f"/rest/{kind}s",
            {"action": "initializeUpload"},
            body=OWNED,
            answer=record({"value": record({"uploadUrl": STRING, kind: URN}, {"uploadUrlExpiresAt": TIME})}),
            known=f"/{kind}s",
        )
        for kind in ("image", "document")
    ),
    Call(
        "POST",
        "/rest/videos",
        {"action": "(initializeUpload|finalizeUpload)"},
        body=VIDEO,
        answer={"oneOf": [record({"value": BEGUN_VIDEO}), {"type": "null"}]},
        known="/videos",
    ),
    Call("GET", rf"/rest/(images|documents|videos)/{KEY}", answer=ASSET, known="/images/{image_urn}"),
    Call("POST", "/rest/posts", body=POST, status=201, known="/posts"),
    Call(
        "GET",
        "/rest/posts",
        {"q": "author", "author": KEY, "sortBy": "CREATED", **PLACE},
        method="FINDER",
        answer=page(SHOWN_POST),
        known="/posts",
    ),
    Call("GET", f"/rest/posts/{KEY}", answer=SHOWN_POST, known="/posts/{encoded ugcPostUrn|shareUrn}"),
    Call(
        "POST",
        f"/rest/posts/{KEY}",
        method="PARTIAL_UPDATE",
        body=patch(record({"$set": record({"commentary": STRING})})),
        status=204,
    ),
    Call(
        "DELETE",
        f"/rest/posts/{KEY}",
        method="DELETE",
        status=204,
        known="/posts/{encoded ugcPostUrn|shareUrn}",
    ),
    Call("POST", f"/rest/socialActions/{KEY}/comments", body=COMMENT, answer=SHOWN_COMMENT, status=201),
    Call("GET", rf"/rest/socialActions/{KEY}/comments/\d+", answer=SHOWN_COMMENT),
    Call(
        "POST",
        rf"/rest/socialActions/{KEY}/comments/\d+",
        {"actor": KEY},
        method="PARTIAL_UPDATE",
        body=patch(record({"message": record({"$set": MESSAGE})})),
        answer=SHOWN_COMMENT,
    ),
    Call("DELETE", rf"/rest/socialActions/{KEY}/comments/\d+", {"actor": KEY}, method="DELETE", status=204),
    Call(
        "POST",
        "/rest/reactions",
        {"actor": KEY},
        body=record({"root": URN, "reactionType": {"enum": ["LIKE"]}}),
        answer=record({"id": URN}),
        status=201,
    ),
    Call("DELETE", rf"/rest/reactions/\(actor:{KEY},entity:{KEY}\)", status=204),
    Call(
        "GET",
        "/rest/organizationalEntityNotifications",
        {"q": "criteria", "organizationalEntity": KEY, "actions": r"List\([A-Z_,]+\)", **PLACE},
        answer=page(NOTIFICATION),
    ),
    Call(
        "GET",
        "/rest/organizationalEntityShareStatistics",
        {
            "q": "organizationalEntity",
            "organizationalEntity": KEY,
            "shares": rf"List\({KEY}(,{KEY})*\)",
            "ugcPosts": rf"List\({KEY}(,{KEY})*\)",
            "timeIntervals": r"\(timeRange:\(start:\d{13},end:\d{13}\),timeGranularityType:DAY\)",
        },
        may=frozenset(("shares", "ugcPosts", "timeIntervals")),
        answer=page(STATISTICS),
        known="/organizationalEntityShareStatistics",
    ),
    Call(
        "GET",
        f"/rest/networkSizes/{KEY}",
        {"edgeType": "COMPANY_FOLLOWED_BY_MEMBER"},
        answer=record({"firstDegreeSize": COUNT}),
        known="/networkSizes/urn:li:organization:{organization_id}",
    ),
    Call(
        "GET",
        "/rest/memberCreatorPostAnalytics",
        {
            "q": "entity",
            "entity": rf"\((share|ugc):{KEY}\)",
            "queryType": "(IMPRESSION|MEMBERS_REACHED|RESHARE|REACTION|COMMENT)",
            "aggregation": "TOTAL",
        },
        answer=page(record({"count": COUNT}, {"metricType": {}, "dateRange": {}})),
    ),
    Call("GET", "/rest/memberFollowersCount", {"q": "me"}, answer=page(record({"memberFollowersCount": COUNT}))),
    *(
        Call(
            verb,
            rf"/rest/eventSubscriptions/\(developerApplication:{KEY},user:{KEY},entity:{KEY},"
            r"eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS\)",
            body=record({"webhook": {**STRING, "pattern": "^https?://"}}) if verb == "PUT" else None,
            status=204,
        )
        for verb in ("PUT", "DELETE")
    ),
)


@dataclass
class Exchange:
    """What passed: the address as it stood on the wire."""

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes
    told: Mapping[str, str]


def problems(seen: Exchange) -> list[str]:
    if not seen.path.startswith("/rest/"):
        return []
    where = f"{seen.verb} {seen.path}"
    if seen.status >= 400:
        return _fits(ERROR, seen.answer, where)
    call = next((one for one in CALLS if one.verb == seen.verb and re.fullmatch(one.path, seen.path) is not None), None)
    if call is None:
        return [f"{where}: not described"]
    found = [*_headers(call, seen, where), *_query(call, seen, where)]
    if call.body is not None or seen.body:
        found += _fits(call.body or False, seen.body, where)
    if seen.status != call.status:
        found.append(f"{where}: {seen.status}, not {call.status}")
    if call.answer is not None:
        found += _fits(call.answer, seen.answer or b"null", where)
    if (
        call.verb == "POST"
        and call.path == "/rest/posts"
        and not seen.told.get("x-restli-id", "").startswith("urn:li:")
    ):
        found.append(f"{where}: x-restli-id is missing")
    return found


def _headers(call: Call, seen: Exchange, where: str) -> list[str]:
    given = {name.lower(): value for name, value in seen.headers.items()}
    found = [] if re.fullmatch(r"20\d{4}", given.get("linkedin-version", "")) else [f"{where}: LinkedIn-Version"]
    if given.get("x-restli-protocol-version") != "2.0.0" or not given.get("authorization", "").startswith("Bearer "):
        found.append(f"{where}: X-Restli-Protocol-Version or Authorization")
    if given.get("x-restli-method", "") != call.method:
        found.append(f"{where}: X-RestLi-Method is not {call.method!r}")
    return found


def _query(call: Call, seen: Exchange, where: str) -> list[str]:
    given = dict(one.partition("=")[::2] for one in seen.query.split("&") if one)
    found = [f"{where}: no parameter {name}" for name in given if name not in call.query]
    for name, pattern in call.query.items():
        if name not in given:
            found += [] if name in call.may else [f"{where}: {name} is missing"]
        elif re.fullmatch(pattern, given[name]) is None:
            found.append(f"{where}: {name}={unquote(given[name])}")
    return found


def _fits(schema: Json | bool, raw: bytes, where: str) -> list[str]:
    try:
        value = json.loads(raw)
    except ValueError:
        return [f"{where}: {raw[:40]!r} is no JSON"]
    return [f"{where}: {one.json_path} {one.message[:200]}" for one in Draft202012Validator(schema).iter_errors(value)]


class Recorded(LinkedIn):
    """The sandbox, with everything that passes through its door written down."""

    seen: list[Exchange]

    def app(self) -> web.Application:
        self.seen = []
        app = super().app()

        @web.middleware
        async def record_it(request: web.Request, handler: Any) -> web.StreamResponse:
            large = "dms-uploads" in request.path
            body = b"" if large else await request.read()
            answer: web.Response = await handler(request)
            url, told = request.rel_url, {name.lower(): value for name, value in answer.headers.items()}
            said = answer.body if isinstance(answer.body, bytes) else b""
            path = url.raw_path.removeprefix("/profile")
            self.seen.append(
                Exchange(
                    request.method, path, url.raw_query_string, dict(request.headers), body, answer.status, said, told
                )
            )
            return answer

        app.middlewares.append(record_it)
        return app

    def problems(self) -> list[str]:
        return [problem for one in self.seen for problem in problems(one)]
