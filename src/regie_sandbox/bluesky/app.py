"""The network itself: its routes, and its people for tests and the audience."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.bluesky.cbor import cid_of_bytes
from regie_sandbox.bluesky.chat import Chat
from regie_sandbox.bluesky.lexicon import FOLLOW, LIKE, POST, REPOST, blobs_in
from regie_sandbox.bluesky.limits import CREATE, DELETE, UPDATE, Limits, Meter
from regie_sandbox.bluesky.oauth import OAuth
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Account, Blob, Record, State, Token
from regie_sandbox.bluesky.store import Store, iso, parts
from regie_sandbox.bluesky.tokens import Tokens
from regie_sandbox.bluesky.videos import LARGEST as LARGEST_VIDEO
from regie_sandbox.bluesky.videos import Known, Videos
from regie_sandbox.bluesky.views import Views
from regie_sandbox.frame import Network, World

LARGEST_UPLOAD = 5 * 1024 * 1024
HANDLE = re.compile(r"^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$")
MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


@dataclass(slots=True)
class Call:
    """One XRPC request on its way."""

    request: web.Request
    body: bytes
    headers: dict[str, str]  # for the answer

    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except ValueError:
            raise invalid("Request body must be valid JSON") from None
        if not isinstance(value, dict):
            raise invalid("Input must be an object")
        return value

    def needed(self, name: str) -> str:
        value = self.request.query.get(name)
        if value is None:
            raise invalid(f'Error: Params must have the property "{name}"')
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.request.query.get(name, str(default))
        if not text.lstrip("-").isdigit() or not least <= int(text) <= most:
            raise invalid(f"Error: {name} must be between {least} and {most}")
        return int(text)


def text_in(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid(f'Error: Input must have the property "{name}"')
    return value


Handle = Callable[[Call], Any]


class Bluesky(Network):
    slug: ClassVar[str] = "bluesky"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        super().__init__(world)
        self.store = Store(self.state, world, self.faults)
        self.tokens = Tokens(self.store)
        self.limits = Limits()
        self.meter = Meter(self.store, self.limits)
        self.videos = Videos(self.state, world)
        self.chat = Chat(self)
        self.oauth = OAuth(self.store, self.tokens, lambda: self.base)
        self.handlers: dict[tuple[str, str], Handle] = {
            ("POST", "com.atproto.server.createAccount"): self._create_account,
            ("POST", "com.atproto.server.createSession"): self._create_session,
            ("POST", "com.atproto.server.refreshSession"): self._refresh_session,
            ("POST", "com.atproto.server.deleteSession"): self._delete_session,
            ("GET", "com.atproto.server.getSession"): self._get_session,
            ("GET", "com.atproto.server.describeServer"): self._describe_server,
            ("GET", "com.atproto.server.getServiceAuth"): self._get_service_auth,
            ("GET", "app.bsky.video.getUploadLimits"): lambda call: self.videos.limits(call, self._own_did()),
            ("POST", "app.bsky.video.uploadVideo"): lambda call: self.videos.upload(call, self._own_did()),
            ("GET", "app.bsky.video.getJobStatus"): lambda call: self.videos.status(call.needed("jobId")),
            ("GET", "com.atproto.identity.resolveHandle"): self._resolve_handle,
            ("GET", "com.atproto.repo.describeRepo"): self._describe_repo,
            ("POST", "com.atproto.repo.uploadBlob"): self._upload_blob,
            ("POST", "com.atproto.repo.createRecord"): self._create_record,
            ("POST", "com.atproto.repo.putRecord"): self._put_record,
            ("POST", "com.atproto.repo.deleteRecord"): self._delete_record,
            ("GET", "com.atproto.repo.getRecord"): self._get_record,
            ("GET", "com.atproto.repo.listRecords"): self._list_records,
            ("GET", "com.atproto.sync.getBlob"): self._get_blob,
            ("GET", "app.bsky.actor.getProfile"): self._get_profile,
            ("GET", "app.bsky.actor.getProfiles"): self._get_profiles,
            ("GET", "app.bsky.feed.getPosts"): self._get_posts,
            ("GET", "app.bsky.feed.getPostThread"): self._get_thread,
            ("GET", "app.bsky.feed.getAuthorFeed"): self._get_author_feed,
            ("GET", "app.bsky.feed.getTimeline"): self._get_timeline,
            ("GET", "app.bsky.feed.getLikes"): self._get_likes,
            ("GET", "app.bsky.notification.listNotifications"): self._list_notifications,
            ("GET", "app.bsky.notification.getUnreadCount"): self._unread,
            ("POST", "app.bsky.notification.updateSeen"): self._seen,
            **self.chat.handlers,
        }

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        names = {
            400: ("InvalidRequest", "Invalid request"),
            401: ("AuthenticationRequired", "Authentication Required"),
            403: ("Forbidden", "Forbidden"),
            404: ("NotFound", "Not Found"),
            429: ("RateLimitExceeded", "Rate Limit Exceeded"),
            502: ("UpstreamFailure", "Upstream service unreachable"),
            503: ("UpstreamFailure", "Upstream service unreachable"),
            504: ("UpstreamTimeout", "Upstream Timeout"),
        }
        error, message = names.get(status, ("InternalServerError", "Internal Server Error"))
        headers = {}
        if status == 429:
            reset = int(self.store.now().timestamp()) + 300
            headers = {
                "ratelimit-limit": "5000",
                "ratelimit-remaining": "0",
                "ratelimit-reset": str(reset),
                "ratelimit-policy": "5000;w=3600",
            }
        return headers, {"error": error, "message": message}

    # Routes

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_VIDEO + 1024)
        app.add_routes(
            [
                web.get("/xrpc/_health", self._health),
                web.route("*", "/xrpc/{nsid}", self._xrpc),
                web.get("/.well-known/did.json", self._own_identity),
                web.get("/.well-known/atproto-did", self._handle_identity),
                web.get("/img/{kind}/plain/{did}/{cid}", self._picture),
                web.get(r"/{did:did:plc:[a-z2-7]{24}}", self._identity),
                *self.oauth.routes(),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.4.217-sandbox"})

    async def _xrpc(self, request: web.Request) -> web.Response:
        call = Call(request, b"", {})
        try:
            handle = self.handlers.get((request.method, request.match_info["nsid"]))
            if handle is None:
                self.tokens.of(request)
                raise Problem(501, "MethodNotImplemented", "Method Not Implemented")
            call.body = await self._read(request)
            answer = handle(call)
        except Problem as problem:
            said = {"error": problem.error, "message": problem.message}
            return _json(said, status=problem.status, headers=call.headers | problem.headers)
        except Known as known:
            return _json(known.body, status=409)
        if isinstance(answer, web.Response):
            return answer
        return _json(answer, headers=call.headers)

    async def _read(self, request: web.Request) -> bytes:
        try:
            return await request.read() if request.can_read_body else b""
        except web.HTTPRequestEntityTooLarge:
            raise Problem(413, "PayloadTooLarge", "request entity too large") from None

    def who(self, call: Call) -> Token:
        token = self.tokens.of(call.request)
        if token.jkt:
            call.headers |= self.tokens.nonce_header()
        return token

    def _views(self, call: Call) -> Views:
        return Views(self.store, self.base, self.who(call).did)

    # Identity

    def _did_doc(self, account: Account) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": account.did,
            "alsoKnownAs": [f"at://{account.handle}"],
            "verificationMethod": [
                {
                    "id": f"{account.did}#atproto",
                    "type": "Multikey",
                    "controller": account.did,
                    "publicKeyMultibase": "zQ3shvzLcx2TeGmV33sPsVieaXWdjYwAcGXfiVgSyfhe6JdHh",
                }
            ],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.base},
            ],
        }

    async def _identity(self, request: web.Request) -> web.Response:
        account = self.state.accounts.get(request.match_info["did"])
        if account is None:
            return _json({"message": f"DID not registered: {request.match_info['did']}"}, status=404)
        return _json(self._did_doc(account), headers={"Content-Type": "application/did+ld+json"})

    async def _own_identity(self, _: web.Request) -> web.Response:
        did = self._own_did()
        service = {"id": "#bsky_appview", "type": "BskyAppView", "serviceEndpoint": self.base}
        return _json({"@context": ["https://www.w3.org/ns/did/v1"], "id": did, "service": [service]})

    def _own_did(self) -> str:
        return "did:web:" + self.base.removeprefix("http://").replace(":", "%3A")

    async def _handle_identity(self, request: web.Request) -> web.Response:
        did = self.state.handles.get(request.host.split(":")[0])
        return web.Response(text=did) if did else web.Response(status=404, text="User not found")

    def _resolve_handle(self, call: Call) -> dict[str, Any]:
        handle = call.needed("handle").lower()
        if not HANDLE.match(handle):
            raise invalid('Error: handle must be a valid handle at "handle"')
        if (did := self.state.handles.get(handle)) is None:
            raise invalid("Unable to resolve handle")
        return {"did": did}

    def _describe_repo(self, call: Call) -> dict[str, Any]:
        account = self._found(call.needed("repo"))
        mine = [key.split("/")[1] for key, names in self.state.keys.items() if names and key.startswith(account.did)]
        return {
            "handle": account.handle,
            "did": account.did,
            "didDoc": self._did_doc(account),
            "collections": mine,
            "handleIsCorrect": True,
        }

    def _found(self, name: str) -> Account:
        account = self.state.accounts.get(name) or self.state.accounts.get(self.state.handles.get(name, ""))
        if account is None:
            raise invalid(f"Could not find repo: {name}", "RepoNotFound")
        return account

    # Sessions

    def _create_account(self, call: Call) -> dict[str, Any]:
        body = call.json()
        handle = text_in(body, "handle").lower()
        if not HANDLE.match(handle) or not handle.endswith(".test"):
            raise invalid("Not a supported handle domain", "UnsupportedDomain")
        if handle in self.state.handles:
            raise invalid(f"Handle already taken: {handle}", "HandleNotAvailable")
        account = self.store.account(handle, password=text_in(body, "password"), email=text_in(body, "email"))
        session = self._session(account, self.tokens.pair(account.did))
        return {name: session[name] for name in ("accessJwt", "refreshJwt", "handle", "did", "didDoc")}

    def _create_session(self, call: Call) -> dict[str, Any]:
        body = call.json()
        name, password = text_in(body, "identifier"), text_in(body, "password")
        call.headers |= self.meter.sign_in(name, call.request.remote or "")
        account = self.store.find(name.lower()) if "." in name or name.startswith("did:") else None
        if account is None or account.password != password:
            raise Problem(401, "AuthenticationRequired", "Invalid identifier or password")
        if account.closed:
            raise Problem(401, "AccountTakedown", "Account has been taken down")
        return self._session(account, self.tokens.pair(account.did)) | {"email": account.email}

    def _session(self, account: Account, pair: tuple[str, str]) -> dict[str, Any]:
        return {
            "accessJwt": pair[0],
            "refreshJwt": pair[1],
            "handle": account.handle,
            "did": account.did,
            "didDoc": self._did_doc(account),
            "emailConfirmed": False,
            "active": True,
        }

    def _refresh_session(self, call: Call) -> dict[str, Any]:
        token, pair = self.tokens.traded(_bearer(call))
        account = self.state.accounts[token.did]
        if account.closed:
            raise Problem(401, "AccountTakedown", "Account has been taken down")
        return self._session(account, pair)

    def _delete_session(self, call: Call) -> web.Response:
        self.tokens.end(self.tokens.bearer(_bearer(call), refresh=True).family)
        return web.Response(status=200)

    def _get_session(self, call: Call) -> dict[str, Any]:
        account = self.state.accounts[self.who(call).did]
        return {"handle": account.handle, "did": account.did, "didDoc": self._did_doc(account), "active": True}

    def _describe_server(self, _: Call) -> dict[str, Any]:
        return {
            "did": self._own_did(),
            "availableUserDomains": [".test"],
            "inviteCodeRequired": False,
            "links": {},
            "contact": {},
        }

    def _get_service_auth(self, call: Call) -> dict[str, Any]:
        return self.videos.leave(self.who(call).did, call.request.query)

    # Records

    def _upload_blob(self, call: Call) -> dict[str, Any]:
        self.who(call)
        if len(call.body) > LARGEST_UPLOAD:
            raise Problem(413, "PayloadTooLarge", "request entity too large")
        cid = cid_of_bytes(call.body)
        mime = _mime_of(call.body) or call.request.content_type
        self.state.blobs[cid] = Blob(mime, len(call.body))
        self.world.files.put(f"bluesky-{cid}", call.body)
        return {"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(call.body)}}

    def _may_write(self, call: Call, body: Mapping[str, Any]) -> Account:
        token = self.who(call)
        repo = text_in(body, "repo")
        account = self.state.accounts.get(repo) or self.state.accounts.get(self.state.handles.get(repo, ""))
        if account is None or account.did != token.did:
            raise Problem(401, "AuthenticationRequired", "Authentication Required")
        if token.jkt and "transition:generic" not in token.scope.split():
            raise Problem(403, "ScopeMissingError", 'Missing required scope "transition:generic"')
        return account

    def _create_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.meter.write(account.did, CREATE)
        rkey = text_in(body, "rkey") if "rkey" in body else None
        return self._written(
            account, *self.store.put(account.did, text_in(body, "collection"), rkey, body.get("record"), create=True)
        )

    def _put_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.meter.write(account.did, UPDATE)
        return self._written(
            account,
            *self.store.put(
                account.did,
                text_in(body, "collection"),
                text_in(body, "rkey"),
                body.get("record"),
                must_be=body.get("swapRecord", ""),
            ),
        )

    def _written(self, account: Account, record: Record, what: str) -> dict[str, Any]:
        answer: dict[str, Any] = {"uri": record.uri, "cid": record.cid, "validationStatus": "valid"}
        if what != "same":
            self._note(account, record, what)
            answer["commit"] = {"cid": record.cid, "rev": parts(record.uri)[2]}
        return answer

    def _note(self, account: Account, record: Record, what: str) -> None:
        _, collection, rkey = parts(record.uri)
        kinds = {POST: "reply" if "reply" in record.value else "post", LIKE: "like", REPOST: "share", FOLLOW: "follow"}
        kind = kinds.get(collection, collection.rsplit(".", 1)[1])
        self.world.ledger.accepted(
            network=self.slug,
            account=account.did,
            remote_id=record.uri,
            text=record.value.get("text", "") if collection == POST else "",
            kind=kind if what == "created" else "edit",
            key=rkey,
            media=sum(1 for _ in blobs_in(record.value.get("embed"))),
        )

    def _delete_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.meter.write(account.did, DELETE)
        record = self.store.delete(f"at://{account.did}/{text_in(body, 'collection')}/{text_in(body, 'rkey')}")
        if record is None:
            return {}
        self.world.ledger.accepted(network=self.slug, account=account.did, remote_id=record.uri, text="", kind="delete")
        return {"commit": {"cid": record.cid, "rev": parts(record.uri)[2]}}

    def _get_record(self, call: Call) -> dict[str, Any]:
        account = self._found(call.needed("repo"))
        uri = f"at://{account.did}/{call.needed('collection')}/{call.needed('rkey')}"
        record = self.state.records.get(uri)
        if record is None:
            raise invalid(f"Could not locate record: {uri}", "RecordNotFound")
        return {"uri": uri, "cid": record.cid, "value": record.value}

    def _list_records(self, call: Call) -> dict[str, Any]:
        account, cursor = self._found(call.needed("repo")), call.request.query.get("cursor", "")
        limit, found = call.number("limit", 50, 1, 100), list[Record]()
        for record in self.store.listed(account.did, call.needed("collection")):
            if not cursor or parts(record.uri)[2] < cursor:
                found.append(record)
            if len(found) == limit:
                break
        records = [{"uri": one.uri, "cid": one.cid, "value": one.value} for one in found]
        return {"records": records, **({"cursor": parts(found[-1].uri)[2]} if found else {})}

    def _get_blob(self, call: Call) -> web.Response:
        return self._bytes(call.needed("cid"))

    async def _picture(self, request: web.Request) -> web.Response:
        try:
            return self._bytes(request.match_info["cid"])
        except Problem:
            return web.Response(status=404, text="Blob not found")

    def _bytes(self, cid: str) -> web.Response:
        blob, content = self.state.blobs.get(cid), self.world.files.get(f"bluesky-{cid}")
        if blob is None or content is None:
            raise invalid("Blob not found", "BlobNotFound")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=content, content_type=blob.mime, headers=headers)

    # The AppView

    def _get_profile(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        account = self.store.find(call.needed("actor"))
        if account is None:
            raise invalid("Profile not found")
        if account.closed:
            raise invalid("Account has been suspended", "AccountTakedown")
        return views.profile(account)

    def _get_profiles(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        accounts = [self.store.find(name) for name in call.request.query.getall("actors", [])]
        return {"profiles": [views.profile(account) for account in accounts if account is not None]}

    def _get_posts(self, call: Call) -> dict[str, Any]:
        views, uris = self._views(call), call.request.query.getall("uris", [])
        if not 1 <= len(uris) <= 25:
            raise invalid("Error: uris must not have more than 25 elements")
        records = [self.state.records.get(uri) for uri in uris]
        return {"posts": [views.post(one) for one in records if one is not None and self.store.shown(one)]}

    def _get_thread(self, call: Call) -> dict[str, Any]:
        views, uri = self._views(call), call.needed("uri")
        record = self.state.records.get(uri)
        if record is None or not self.store.shown(record):
            raise Problem(400, "NotFound", f"Post not found: {uri}")
        depth, height = call.number("depth", 6, 0, 1000), call.number("parentHeight", 80, 0, 1000)
        return {"thread": views.thread(uri, depth=depth, height=height)}

    def _get_author_feed(self, call: Call) -> dict[str, Any]:
        views, account = self._views(call), self.store.find(call.needed("actor"))
        if account is None:
            raise invalid("Profile not found")
        return self._feed(call, views, self.store.posts_of(account.did))

    def _get_timeline(self, call: Call) -> dict[str, Any]:
        views = self._views(call)
        followed = [did for did, by in self.state.followers.items() if views.me in by]
        posts = [record for did in (*followed, views.me) for record in self.store.posts_of(did)]
        return self._feed(call, views, sorted(posts, key=lambda one: one.seq))

    def _feed(self, call: Call, views: Views, posts: list[Record]) -> dict[str, Any]:
        """Newest first by when the network got them; the cursor is that number."""
        before = int(call.request.query.get("cursor") or self.state.seq + 1)
        limit = call.number("limit", 50, 1, 100)
        page = [one for one in reversed(posts) if one.seq < before and self.store.shown(one)][:limit]
        return {"feed": [views.feed_post(one) for one in page], **({"cursor": str(page[-1].seq)} if page else {})}

    def _get_likes(self, call: Call) -> dict[str, Any]:
        views, uri = self._views(call), call.needed("uri")
        likes = [
            {"actor": views.author(did), "createdAt": record.value["createdAt"], "indexedAt": iso(record.indexed_at)}
            for did, like in self.store.reactions(uri).likes.items()
            if (record := self.state.records.get(like)) is not None
        ]
        return {"uri": uri, "likes": likes[: call.number("limit", 50, 1, 100)]}

    def _list_notifications(self, call: Call) -> dict[str, Any]:
        views, reasons = self._views(call), call.request.query.getall("reasons", [])
        before, limit = call.request.query.get("cursor", ""), call.number("limit", 50, 1, 100)
        page: list[dict[str, Any]] = []
        last = ""
        for notice, record in self.store.notices_for(views.me):
            if (not reasons or notice.reason in reasons) and (not before or record.seq < int(before)):
                page.append(views.notification(notice, record))
                last = str(record.seq)
                if len(page) == limit:
                    break
        return {"notifications": page, "priority": False, **({"cursor": last} if last else {})}

    def _unread(self, call: Call) -> dict[str, Any]:
        return {"count": sum(1 for _ in self.store.notices_for(self.who(call).did))}

    def _seen(self, call: Call) -> web.Response:
        self.who(call)
        return web.Response(status=200)

    # The people

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """Signed in with an app password; the same tokens each time until they run out."""
        account = self.person(name)
        access, refresh = self.state.ready.get(account.did, ("", ""))
        token = self.state.tokens.get(access)
        if token is None or token.expires <= self.store.now().timestamp():
            access, refresh = self.state.ready[account.did] = self.tokens.pair(account.did)
        return {
            "server": self.base,
            "remote_id": account.did,
            "handle": account.handle,
            "credentials": {"access": access, "refresh": refresh, "did": account.did},
            "password": account.password,
            "plc_url": self.base,
            "hosts": {"video": self.base},
        }

    def expire_tokens(self) -> int:
        ended = [token for token in self.state.tokens.values() if not token.refresh]
        for token in ended:
            token.expires = 0.0
        return len(ended)

    def person(self, name: str) -> Account:
        """By DID or handle, or by a name: "Chloé Martin" is @chloe-martin.test."""
        if (found := self.store.find(name)) is not None:
            return found
        return self.store.account(handle_of(name), name=name)

    def _write(self, by: Account, collection: str, value: dict[str, Any], moment: datetime | None = None) -> Record:
        value = {"$type": collection, **value, "createdAt": iso(moment or self.store.now())}
        record, what = self.store.put(by.did, collection, None, value)
        self._note(by, record, what)
        return record

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        person, value = self.person(by), {"text": text}
        match kind:
            case "reply" | "quote" if to is not None:
                value |= self._about(to, kind)
            case "direct" if to is not None:
                return self.chat.say(person, self.chat.convo(person.did, self.person(to).did), text).id
            case "mention" if to is not None:
                value = self._naming(self.person(to), text)
            case "reply" | "post" if to is None:
                pass
            case _:
                raise ValueError(f"nobody says a {kind} on this network")
        return self._write(person, POST, value).uri

    def _about(self, uri: str, kind: str) -> dict[str, Any]:
        record = self.state.records[uri]
        ref = {"uri": uri, "cid": record.cid}
        if kind == "quote":
            return {"embed": {"$type": "app.bsky.embed.record", "record": ref}}
        above = record.value.get("reply")
        return {"reply": {"root": above["root"] if above else ref, "parent": ref}}

    def _naming(self, account: Account, text: str) -> dict[str, Any]:
        name = f"@{account.handle}"
        if name not in text:
            text = f"{name} {text}"
        start = len(text[: text.index(name)].encode())
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": account.did}
        index = {"byteStart": start, "byteEnd": start + len(name)}
        return {"text": text, "facets": [{"index": index, "features": [feature]}]}

    def like(self, *, by: str, post_id: str) -> None:
        self._react(LIKE, by, post_id)

    def share(self, *, by: str, post_id: str) -> bool:
        self._react(REPOST, by, post_id)
        return True

    def _react(self, collection: str, by: str, post_id: str) -> None:
        person, record = self.person(by), self.state.records[post_id]
        reactions = self.store.reactions(post_id)
        if person.did not in (reactions.likes if collection == LIKE else reactions.reposts):
            self._write(person, collection, {"subject": {"uri": post_id, "cid": record.cid}})

    def follow(self, *, by: str, account: str) -> None:
        person, whom = self.person(by), self.person(account)
        if person.did not in self.state.followers.get(whom.did, {}):
            self._write(person, FOLLOW, {"subject": whom.did})

    def unfollow(self, *, by: str, account: str) -> bool:
        uri = self.state.followers.get(self.person(account).did, {}).get(self.person(by).did)
        if uri is not None:
            self.store.delete(uri)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [record.value["text"] for record in self.store.posts_of(self.person(account or "regie").did)]

    def posts(self, account: str | None = None) -> list[str]:
        return [record.uri for record in self.store.posts_of(self.person(account or "regie").did)]


def handle_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.removeprefix("@")).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", plain.removesuffix(".test")).strip("-")[:60]
    if not label:  # a name in another script
        label = "person-" + "".join(f"{ord(char):x}" for char in name)[:40]
    return f"{label}.test"


def _bearer(call: Call) -> str:
    kind, _, text = call.request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        raise Problem(401, "AuthMissing", "Authentication Required")
    return text


def _mime_of(content: bytes) -> str:
    for magic, mime in MAGIC:
        if content.startswith(magic):
            return mime
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def _json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    answer = web.Response(body=body, status=status, content_type="application/json", charset="utf-8")
    answer.headers.update(headers or {})
    return answer
